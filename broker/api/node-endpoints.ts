import type { MetadataCache } from '../metadata/metadata-cache'
import type { LeaderIdAndEpoch } from '../replica/requests'

export interface NodeEndpoint {
  nodeId: number
  host: string
  port: number
  rack: string | null
}

/**
 * Where a client finds the leaders that an answer names (KIP-951: Produce 10+, Fetch 16+), so that it need not ask for metadata
 * first.
 */
export class NodeEndpoints {
  private readonly metadata: MetadataCache
  private readonly listenerName: string
  private readonly nodes = new Map<number, NodeEndpoint>()

  constructor(metadata: MetadataCache, listenerName: string) {
    this.metadata = metadata
    this.listenerName = listenerName
  }

  /** The leader as the replica manager knows it, else as the metadata does; remembers its endpoint. */
  leaderOf(topic: string, partition: number, known: LeaderIdAndEpoch | undefined): LeaderIdAndEpoch {
    const inMetadata = this.metadata.partition(topic, partition)
    const leader =
      known ??
      (inMetadata === undefined
        ? { leaderId: -1, leaderEpoch: -1 }
        : { leaderId: inMetadata.leader, leaderEpoch: inMetadata.leaderEpoch })
    const node = this.metadata.aliveBroker(leader.leaderId, this.listenerName)
    if (node !== undefined) this.nodes.set(node.id, { nodeId: node.id, host: node.host, port: node.port, rack: node.rack })
    return { leaderId: leader.leaderId, leaderEpoch: leader.leaderEpoch }
  }

  list(): NodeEndpoint[] {
    return [...this.nodes.values()]
  }
}
