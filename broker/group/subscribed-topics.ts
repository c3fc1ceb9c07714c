import { decode, DecodeError, defaultMaxObjectBytes } from '../../protocol/messages/codec'
import { consumerProtocolSubscription } from '../../protocol/messages/consumer-protocol'
import { longestNameBytes } from '../../protocol/messages/reader'

export const CONSUMER_PROTOCOL_TYPE = 'consumer'
/** Every later version begins as this one. */
const LEAST_VERSION = 0

/**
 * The topics that the members of a consumer group subscribe to; undefined if that cannot be known, because the group is of
 * another kind or a member's metadata is not what Kafka's consumers send.
 */
export function subscribedTopics(
  protocolType: string | undefined,
  protocolName: string | undefined,
  metadata: readonly Buffer[],
): ReadonlySet<string> | undefined {
  if (protocolType !== CONSUMER_PROTOCOL_TYPE) return undefined
  if (metadata.length === 0) return new Set()
  if (protocolName === undefined) return undefined
  const topics = new Set<string>()
  try {
    for (const bytes of metadata) {
      if (bytes.length < 2 || bytes.readInt16BE(0) < LEAST_VERSION) return undefined
      const subscription = decode(consumerProtocolSubscription, LEAST_VERSION, bytes, 2, defaultMaxObjectBytes, longestNameBytes)
      for (const topic of subscription.topics) topics.add(topic)
    }
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
  return topics
}
