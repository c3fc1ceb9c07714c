import { ErrorCode, ProtocolError } from '../../protocol/errors'

/** ConfigResource.Type. */
export const ResourceType = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16 } as const

/** `kind` is what Kafka's complaint calls it: `Broker id`, and `Node id` where it is to be changed. */
export function brokerIdOf(resourceName: string, kind = 'Broker id'): number {
  if (!/^[+-]?\d{1,10}$/.test(resourceName)) {
    throw new ProtocolError(ErrorCode.INVALID_REQUEST, `${kind} must be an integer, but it is: ${resourceName}`)
  }
  return Number(resourceName)
}
