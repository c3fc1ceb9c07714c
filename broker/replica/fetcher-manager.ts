import type { ReplicaManagerOptions } from './options'
import { ReplicaFetcher } from './fetcher'
import type { Partition } from './partition'

/**
 * Gives each follower to the fetcher of its leader: `num.replica.fetchers` of them per leader, by Kafka's hash of the partition.
 *
 * A follower whose leader is not alive in the metadata cache waits here: LeaderAndIsr may come before the UpdateMetadata that
 * names the leader's endpoint (known-problems 3.13).
 */
export class FetcherManager {
  private readonly options: ReplicaManagerOptions
  private readonly fetchers = new Map<string, ReplicaFetcher>()
  private readonly homes = new Map<Partition, ReplicaFetcher>()
  private readonly pending = new Set<Partition>()
  private readonly failed = new Set<Partition>()
  private fetchersPerLeader: number

  constructor(options: ReplicaManagerOptions) {
    this.options = options
    this.fetchersPerLeader = options.config.numReplicaFetchers
  }

  /** Spreads the followers over another number of fetchers per leader. */
  resize(fetchersPerLeader: number): void {
    if (fetchersPerLeader === this.fetchersPerLeader) return
    this.fetchersPerLeader = fetchersPerLeader
    for (const partition of [...this.homes.keys()]) {
      this.remove(partition)
      this.ensure(partition)
    }
    this.closeIdle()
  }

  /** Followers that are fetched, that wait for their leader to appear, and that failed. */
  get counts(): { fetching: number; pending: number; failed: number } {
    return { fetching: this.homes.size, pending: this.pending.size, failed: this.failed.size }
  }

  isFailed(partition: Partition): boolean {
    return this.failed.has(partition)
  }

  /** Fetches for this follower from its leader, in its leader epoch; nothing changes if that is being done. */
  ensure(partition: Partition): void {
    const { leaderId } = partition
    const home = this.homes.get(partition)
    if (home?.leaderId === leaderId && home.has(partition)) return
    this.remove(partition)
    if (partition.role !== 'follower' || partition.log === undefined || leaderId < 0 || leaderId === this.options.brokerId) return
    if (this.options.metadata.aliveBroker(leaderId, this.options.interBrokerListener) === undefined) {
      this.pending.add(partition)
      return
    }
    const fetcher = this.fetcherFor(partition)
    this.homes.set(partition, fetcher)
    fetcher.add(partition)
  }

  remove(partition: Partition): void {
    this.pending.delete(partition)
    this.failed.delete(partition)
    this.homes.get(partition)?.remove(partition)
    this.homes.delete(partition)
  }

  /** Brokers came or went: leaders that were waited for may be there. */
  brokersChanged(): void {
    for (const partition of [...this.pending]) this.ensure(partition)
  }

  /** Leaders that are not there yet are not waited for any more. */
  leave(): void {
    this.pending.clear()
  }

  /** Ends fetchers that have nothing left to do. */
  closeIdle(): void {
    for (const [key, fetcher] of this.fetchers) {
      if (fetcher.size > 0) continue
      fetcher.close()
      this.fetchers.delete(key)
    }
  }

  shutdown(): void {
    for (const fetcher of this.fetchers.values()) fetcher.close()
    this.fetchers.clear()
    this.homes.clear()
    this.pending.clear()
  }

  private fetcherFor(partition: Partition): ReplicaFetcher {
    const id = fetcherIdOf(partition.topic, partition.partition, this.fetchersPerLeader)
    const key = `${partition.leaderId}-${id}`
    let fetcher = this.fetchers.get(key)
    if (fetcher === undefined) {
      fetcher = new ReplicaFetcher(this.options, partition.leaderId, id, (failed) => {
        this.homes.delete(failed)
        this.failed.add(failed)
      })
      this.fetchers.set(key, fetcher)
    }
    return fetcher
  }
}

/** Kafka's: abs(31 * hash of the topic + partition) modulo the number of fetchers, in Java's 32-bit arithmetic. */
export function fetcherIdOf(topic: string, partition: number, fetchers: number): number {
  let hash = 0
  for (let i = 0; i < topic.length; i++) hash = (Math.imul(31, hash) + topic.charCodeAt(i)) | 0
  const value = (Math.imul(31, hash) + partition) | 0
  // Kafka's Utils.abs: the smallest number has no absolute value.
  return (value === -(2 ** 31) ? 0 : Math.abs(value)) % fetchers
}
