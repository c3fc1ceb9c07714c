import { MAX_ID_LENGTH } from '../coordinator/id-length'
import type { GroupConfig } from '../group/group-config'
import { allowsStaticMembers } from '../group/group-config'
import type { OffsetKey } from '../group/offset-cache'
import type { MetadataCache } from '../metadata/metadata-cache'

/** As Java prints the address of a client, which is how groups show it. */
export function javaHost(clientHost: string): string {
  const mapped = '::ffff:'
  return `/${clientHost.startsWith(mapped) ? clientHost.slice(mapped.length) : clientHost}`
}

/**
 * A static member, and brokers that do not know static members (inter.broker.protocol.version before 2.3): one of those would
 * lose its name. Answered with UNSUPPORTED_VERSION.
 */
export function isTooNew(groupInstanceId: string | null, config: Pick<GroupConfig, 'groupValueVersion'>): boolean {
  return groupInstanceId !== null && !allowsStaticMembers(config)
}

/**
 * Bytes of a request that are kept for long. Buffer.from would cut them out of a block that it shares with short-lived ones, and that
 * stays as long as one of them.
 */
export function keptBytes(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}

/** The first of each id: what is named a thousand times is answered once, so that a small request has no huge answer. */
export function firstOfEach<T>(items: readonly T[], idOf: (item: T) => string): T[] {
  const seen = new Set<string>()
  return items.filter((item) => {
    const id = idOf(item)
    // It is refused, in few words; and a set does not tell such ones apart soon.
    if (id.length > MAX_ID_LENGTH) return true
    if (seen.has(id)) return false
    seen.add(id)
    return true
  })
}

interface AskedPartition {
  readonly partitionIndex: number
}

interface AskedTopic<P extends AskedPartition> {
  readonly name: string
  readonly partitions: readonly P[]
}

/** The partitions of a request that exist, as far as this broker knows. */
export function knownPartitions<P extends AskedPartition>(
  topics: readonly AskedTopic<P>[], metadata: MetadataCache,
): (OffsetKey & { asked: P })[] {
  return topics.flatMap(({ name, partitions }) =>
    partitions
      .filter(({ partitionIndex }) => metadata.partition(name, partitionIndex) !== undefined)
      .map((asked) => ({ topic: name, partition: asked.partitionIndex, asked })),
  )
}

/** Puts the error codes of the known partitions back into the shape of the request; the others get `otherwise`. */
export function errorsByTopic(
  topics: readonly AskedTopic<AskedPartition>[],
  known: readonly OffsetKey[],
  errorCodes: readonly number[],
  otherwise: number,
): { name: string; partitions: { partitionIndex: number; errorCode: number }[] }[] {
  const found = new Map(known.map(({ topic, partition }, i) => [`${partition} ${topic}`, errorCodes[i]!]))
  return topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({
      partitionIndex, errorCode: found.get(`${partitionIndex} ${name}`) ?? otherwise,
    })),
  }))
}
