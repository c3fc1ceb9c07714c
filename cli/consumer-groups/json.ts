import type { ConsumerGroupDescription, ConsumerGroupListing } from '../../client/admin/groups'
import type { OffsetRow } from './tables'

/** A group of `--list --json`. */
export function listingJson({ groupId, isSimple, state, type }: ConsumerGroupListing): object {
  return { groupId, isSimpleConsumerGroup: isSimple, state: state ?? null, type: type ?? null }
}

function offsetJson({ topic, partition, offset, logEndOffset, consumerId, host, clientId }: OffsetRow): object {
  const isKnown = offset !== undefined && offset !== -1
  return {
    topic,
    partition,
    offset: isKnown ? offset : null,
    logEndOffset: logEndOffset ?? null,
    lag: isKnown && logEndOffset !== undefined ? logEndOffset - offset : null,
    memberId: consumerId ?? null,
    host: host ?? null,
    clientId: clientId ?? null,
  }
}

/** A group of `--describe --json`, with what the view is about. */
export function descriptionJson(
  group: ConsumerGroupDescription,
  withMembers: boolean,
  offsets: readonly OffsetRow[] | undefined,
): object {
  const { groupId, isSimple, state, partitionAssignor, coordinator, members } = group
  return {
    groupId,
    isSimpleConsumerGroup: isSimple,
    state,
    partitionAssignor,
    coordinator,
    ...(withMembers ? { members } : {}),
    ...(offsets === undefined ? {} : { offsets: offsets.map(offsetJson) }),
  }
}
