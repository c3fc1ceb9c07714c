import { decodeLong } from './znode-json'

/** Where consumers of 0.8 kept their offsets; OffsetCommit and OffsetFetch version 0 still do. */
export const consumersPath = '/consumers'

export function consumerOffsetPath(group: string, topic: string, partition: number): string {
  return `${consumersPath}/${group}/offsets/${topic}/${partition}`
}

export function encodeConsumerOffset(offset: number): Buffer {
  return Buffer.from(String(offset))
}

/** Throws ZnodeFormatError. */
export function decodeConsumerOffset(path: string, data: Buffer | null): number {
  return decodeLong(path, data)
}
