import type { Input } from '../../protocol/messages/codec'
import type { FetchRequest, FetchResponse } from '../../protocol/messages/fetch'
import type { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/list-offsets'
import type {
  OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
} from '../../protocol/messages/offset-for-leader-epoch'
import type { BrokerNode } from '../metadata/metadata-cache'

/** A follower's connection to a leader. Requests reject when there is no answer; then the connection is of no use any more. */
export interface LeaderConnection {
  fetch(version: number, request: Input<FetchRequest>): Promise<FetchResponse>
  listOffsets(version: number, request: Input<ListOffsetsRequest>): Promise<ListOffsetsResponse>
  offsetForLeaderEpoch(version: number, request: Input<OffsetForLeaderEpochRequest>): Promise<OffsetForLeaderEpochResponse>
  close(): void
}

/** Resolves when connected, rejects when the broker cannot be reached. */
export type ConnectToLeader = (broker: BrokerNode, clientId: string) => Promise<LeaderConnection>
