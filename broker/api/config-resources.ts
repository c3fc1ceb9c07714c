import { ErrorCode, ProtocolError } from '../../protocol/errors'

/** ConfigResource.Type. */
export const ResourceType = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16 } as const

export function brokerIdOf(resourceName: string): number {
  if (!/^[+-]?\d{1,10}$/.test(resourceName)) {
    throw new ProtocolError(ErrorCode.INVALID_REQUEST, `Broker id must be an integer, but it is: ${resourceName}`)
  }
  return Number(resourceName)
}
