import { ProtocolError } from '../../protocol/errors'
import { mayRetry } from '../cluster'
import { CoordinatorType, findCoordinators } from '../coordinators'
import type { Cluster, Node } from '../cluster'

/** Knows one key's coordinator until it turns out to be another node. */
export class CoordinatorFinder {
  private readonly cluster: Cluster
  private readonly type: CoordinatorType
  private readonly key: string
  private node: Node | undefined
  private finding: Promise<true> | undefined
  private failure: unknown
  private pauseMs: number
  private notBeforeMs = 0

  constructor(cluster: Cluster, type: CoordinatorType, key: string) {
    this.cluster = cluster
    this.type = type
    this.key = key
    this.pauseMs = cluster.settings.retryBackoffMs
  }

  get known(): Node | undefined {
    return this.node
  }

  /** It has changed; unless another one than `node` is known by now. */
  forget(node: Node | undefined): void {
    if (node === undefined || node === this.node) this.node = undefined
  }

  /**
   * undefined if it is not found by then; the question stays open. Throws what does not pass: GROUP_AUTHORIZATION_FAILED,
   * INVALID_GROUP_ID ...
   */
  async find(deadlineMs: number): Promise<Node | undefined> {
    const { clock } = this.cluster.env
    while (this.node === undefined) {
      this.throwFailure()
      const pauseMs = this.notBeforeMs - clock.monoMs()
      const leftMs = deadlineMs - clock.monoMs()
      if (pauseMs > 0) {
        if (leftMs <= 0 || this.cluster.isClosed) return undefined
        await this.cluster.sleep(Math.min(pauseMs, leftMs))
        continue
      }
      this.finding ??= this.ask().finally(() => {
        this.finding = undefined
      })
      const isAnswered = await this.cluster.within(this.finding, deadlineMs)
      this.throwFailure()
      if (isAnswered === undefined) return this.node
    }
    return this.node
  }

  private throwFailure(): void {
    const { failure } = this
    this.failure = undefined
    if (failure !== undefined) throw failure
  }

  private async ask(): Promise<true> {
    try {
      const answer = (await findCoordinators(this.cluster, this.type, [this.key])).get(this.key)!
      if (answer instanceof ProtocolError) throw answer
      this.node = answer
      this.pauseMs = this.cluster.settings.retryBackoffMs
    } catch (error) {
      if (!mayRetry(error)) this.failure = error
      this.notBeforeMs = this.cluster.env.clock.monoMs() + this.pauseMs
      this.pauseMs = Math.min(this.pauseMs * 2, this.cluster.settings.retryBackoffMaxMs)
    }
    return true
  }
}

export class GroupCoordinatorFinder extends CoordinatorFinder {
  constructor(cluster: Cluster, groupId: string) {
    super(cluster, CoordinatorType.group, groupId)
  }
}
