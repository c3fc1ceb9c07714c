import type { Clock } from '../../runtime/ports'

/** How long a follower whose claim was wrong is not believed before ZooKeeper is asked again. */
const WRONG_CLAIM_MS = 1000

export type ClaimCheck = 'right' | 'wrong' | 'unknown'

interface Known {
  /** What ZooKeeper said; undefined: not registered. */
  epoch: number | undefined
  readMs: number
  reading: Promise<void> | undefined
}

/**
 * Which registration (czxid) each follower has, as ZooKeeper says: a fetch that names another one comes from an earlier life of
 * the broker, perhaps with another disk, or from somebody else (KIP-903). UpdateMetadata does not carry these epochs, so the
 * leader reads them, once per registration.
 */
export class ReplicaEpochs {
  private readonly clock: Clock
  private readonly read: ((brokerId: number) => Promise<number | undefined>) | undefined
  private readonly known = new Map<number, Known>()

  constructor(clock: Clock, read: ((brokerId: number) => Promise<number | undefined>) | undefined) {
    this.clock = clock
    this.read = read
  }

  /** Is `epoch` (-1: none named, from older followers) the registration of this broker? */
  check(brokerId: number, epoch: number): ClaimCheck {
    if (epoch < 0 || this.read === undefined) return 'right'
    const known = this.known.get(brokerId)
    if (known === undefined || known.reading !== undefined) return 'unknown'
    if (known.epoch === epoch) return 'right'
    return this.clock.monoMs() - known.readMs < WRONG_CLAIM_MS ? 'wrong' : 'unknown'
  }

  /** Asks ZooKeeper; resolves when `check` can answer, also when ZooKeeper could not be asked. */
  learn(brokerId: number): Promise<void> {
    let known = this.known.get(brokerId)
    if (known === undefined) this.known.set(brokerId, (known = { epoch: undefined, readMs: 0, reading: undefined }))
    known.reading ??= this.readOnce(brokerId, known)
    return known.reading
  }

  /** For brokers that are gone: the map holds only brokers of the cluster. */
  retain(isAlive: (brokerId: number) => boolean): void {
    for (const [id, { reading }] of this.known) if (reading === undefined && !isAlive(id)) this.known.delete(id)
  }

  private async readOnce(brokerId: number, known: Known): Promise<void> {
    // Not within the caller's assignment of `reading`, which would come after the end of a read that throws at once.
    await Promise.resolve()
    try {
      known.epoch = await this.read!(brokerId)
    } catch {
      known.epoch = undefined
    } finally {
      known.readMs = this.clock.monoMs()
      known.reading = undefined
    }
  }
}
