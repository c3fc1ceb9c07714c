import { ErrorCode } from '../../protocol/errors'
import type { ReplicaManagerOptions } from './options'

/** How often, and how far apart, ZooKeeper is asked about a new controller while it does not answer. */
const CONFIRM_ATTEMPTS = 100
const CONFIRM_INTERVAL_MS = 100

export interface ControllerClaim {
  controllerId: number
  controllerEpoch: number
  /** -1 when the request has none. */
  brokerEpoch: number
}

/**
 * Which control requests are believed (broker.md §5). On a shared listener nothing tells a controller from a client but what it
 * knows: the epoch of this broker's registration, and a controller epoch that ZooKeeper confirms. In Kafka one forged request
 * with epoch 2^31-1 locks every real controller out.
 */
export class ControllerBelief {
  private readonly options: ReplicaManagerOptions
  private epoch = 0
  private id = -1
  /** One question to ZooKeeper per claim at a time. */
  private readonly asking = new Map<string, Promise<boolean>>()

  constructor(options: ReplicaManagerOptions) {
    this.options = options
  }

  /** Of the newest controller that was believed; 0 before the first. */
  get controllerEpoch(): number {
    return this.epoch
  }

  /** NONE, STALE_BROKER_EPOCH or STALE_CONTROLLER_EPOCH. `isStale` says once more, without waiting, before the effect. */
  async check(claim: ControllerClaim): Promise<number> {
    if (!(await this.knowsOurEpoch(claim.brokerEpoch))) return ErrorCode.STALE_BROKER_EPOCH
    if (claim.controllerEpoch < this.epoch) return ErrorCode.STALE_CONTROLLER_EPOCH
    if (claim.controllerEpoch > this.epoch || claim.controllerId !== this.id) {
      if (!(await this.confirm(claim))) return ErrorCode.STALE_CONTROLLER_EPOCH
      if (claim.controllerEpoch >= this.epoch) {
        this.epoch = claim.controllerEpoch
        this.id = claim.controllerId
      }
    }
    return this.isStale(claim)
  }

  /** NONE, or why the claim is out of date by now. */
  isStale({ controllerEpoch, brokerEpoch }: ControllerClaim): number {
    if (brokerEpoch >= 0 && brokerEpoch !== this.options.brokerEpoch()) return ErrorCode.STALE_BROKER_EPOCH
    return controllerEpoch < this.epoch ? ErrorCode.STALE_CONTROLLER_EPOCH : ErrorCode.NONE
  }

  private async knowsOurEpoch(brokerEpoch: number): Promise<boolean> {
    if (brokerEpoch < 0) {
      // It may be for the life that is just beginning: under the former epoch it would tell this broker nothing (ReplicaCore.mayLead).
      return !this.options.protocol.brokerEpochs && (await this.isRegistered(Infinity))
    }
    // The controller may see our new znode before we know that it was created.
    if (brokerEpoch > this.options.brokerEpoch() && !(await this.isRegistered(brokerEpoch))) return false
    return brokerEpoch === this.options.brokerEpoch()
  }

  /** Waits for a registration that is under way; false if it cannot be waited for. */
  private async isRegistered(epoch: number): Promise<boolean> {
    try {
      await this.options.awaitBrokerEpoch?.(epoch)
      return true
    } catch {
      return false
    }
  }

  private confirm(claim: ControllerClaim): Promise<boolean> {
    const key = `${claim.controllerId}/${claim.controllerEpoch}`
    let answer = this.asking.get(key)
    if (answer === undefined) {
      answer = this.ask(claim).finally(() => this.asking.delete(key))
      this.asking.set(key, answer)
    }
    return answer
  }

  /** While ZooKeeper does not answer the request is held: a refusal would lose it, since controllers only log it. */
  private async ask({ controllerId, controllerEpoch }: ControllerClaim): Promise<boolean> {
    for (let attempt = 0; attempt < CONFIRM_ATTEMPTS; attempt++) {
      try {
        return await this.options.confirmController(controllerId, controllerEpoch)
      } catch {
        await new Promise<void>((resolve) => this.options.env.clock.timer(CONFIRM_INTERVAL_MS, resolve))
      }
    }
    return false
  }
}
