import { KafkaConnection } from '../../network/kafka-connection'
import { SlabPool } from '../../network/slab-pool'
import { apis } from '../../protocol/messages/apis'
import type { Input } from '../../protocol/messages/codec'
import type { FetchRequest, FetchResponse } from '../../protocol/messages/fetch'
import type { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/list-offsets'
import type {
  OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
} from '../../protocol/messages/offset-for-leader-epoch'
import type { Logger } from '../../runtime/log'
import type { Environment } from '../../runtime/ports'
import type { BrokerNode } from '../metadata/metadata-cache'

const MAX_FRAME_BYTES = 0x7fffffff
/** Enough for an answer of 4 MiB and what it is put together in. */
const KEPT_BYTES = 6 * 1024 * 1024

/** A follower's connection to a leader. Requests reject when there is no answer; then the connection is of no use any more. */
export interface LeaderConnection {
  /** `take` gets the answer; its records are valid only until it returns. Resolves with what it returned. */
  fetch<Taken>(version: number, request: Input<FetchRequest>, take: (response: FetchResponse) => Taken): Promise<Taken>
  listOffsets(version: number, request: Input<ListOffsetsRequest>): Promise<ListOffsetsResponse>
  offsetForLeaderEpoch(version: number, request: Input<OffsetForLeaderEpochRequest>): Promise<OffsetForLeaderEpochResponse>
  close(): void
}

/** Resolves when connected, rejects when the broker cannot be reached. */
export type ConnectToLeader = (broker: BrokerNode, clientId: string) => Promise<LeaderConnection>

/**
 * Connections over the network. Versions follow from `inter.broker.protocol.version`, not from what the leader offers, so nothing
 * is asked before the first fetch.
 */
export function connectByNetwork(env: Environment, logger: Logger, socketTimeoutMs: number): ConnectToLeader {
  return async ({ host, port }, clientId) => {
    const connection = new KafkaConnection(env, {
      host, port, clientId, logger, requestTimeoutMs: socketTimeoutMs, maxInFlight: 1, versions: new Map(),
      pool: new SlabPool(MAX_FRAME_BYTES * 2, KEPT_BYTES),
    })
    await connection.connect()
    return {
      fetch: (version, request, take) => connection.send(apis.fetch, request, { version, take }),
      listOffsets: (version, request) => connection.send(apis.listOffsets, request, { version }),
      offsetForLeaderEpoch: (version, request) => connection.send(apis.offsetForLeaderEpoch, request, { version }),
      close: () => connection.close(),
    }
  }
}
