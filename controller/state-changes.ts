import type { Recorder } from '../recording/events'
import type { Logger } from '../runtime/log'
import type { Slices } from '../runtime/slices'
import type { ControllerContext, Leadership, Partition } from './context'
import { isElected } from './leader-election'
import type { Elected, LeaderAndIsr } from './leader-election'
import { confirmed } from './leadership-writer'
import type { LeadershipDecision, LeadershipOutcome, LeadershipWriter } from './leadership-writer'
import {
  hasNoLiveIsr, OFFLINE_ELECTION, planElection, planInitialLeader, sortByLegality, withNextEpoch, withoutReplica,
} from './partition-state-machine'
import type { ElectionPolicy, ElectionStrategy } from './partition-state-machine'
import { PartitionReports } from './partition-reports'
import type { PartitionState } from './partition-states'
import { planReplicaMove } from './replica-state-machine'
import type { Replica, ReplicaCommand } from './replica-state-machine'
import type { ReplicaState } from './replica-states'
import { RequestBatch } from './request-batch'

export type ElectionOutcome =
  | { readonly ok: true; readonly leadership: Leadership }
  | { readonly ok: false; readonly reason: string; readonly illegal?: boolean }

export interface StateChangesParts {
  context: ControllerContext
  leadership: LeadershipWriter
  controllerEpoch: number
  recoveryState: boolean
  /** unclean.leader.election.enable of each of these topics, read from ZooKeeper. */
  uncleanTopics(topics: Set<string>): Promise<Set<string>>
  send(batch: RequestBatch): void
  /** Between many partitions others have their turn; nobody else touches the context meanwhile. */
  slices: Slices
  /** What is being handled, for the recording. */
  cause(): string
  logger: Logger
  recorder: Recorder
}

/**
 * The one executor of state changes. For each step in this order: what may change (tables), how (pure rules), ZooKeeper
 * (fenced, conditional), memory, then the brokers: LeaderAndIsr, UpdateMetadata, StopReplica.
 */
export class StateChanges {
  private readonly parts: StateChangesParts
  private readonly reports: PartitionReports

  constructor(parts: StateChangesParts) {
    this.parts = parts
    this.reports = new PartitionReports(parts.logger)
  }

  /** Moves partitions into `target`; for OnlinePartition the outcome of each one's election. */
  async movePartitions(
    partitions: Iterable<Partition>, target: PartitionState, strategy: ElectionStrategy = OFFLINE_ELECTION,
  ): Promise<Map<Partition, ElectionOutcome>> {
    const { legal, illegal } = sortByLegality(partitions, target)
    const outcomes = new Map<Partition, ElectionOutcome>()
    for (const partition of illegal) {
      const reason = `${partition.state} may not become ${target}`
      this.reports.add('error', partition, {}, reason)
      outcomes.set(partition, { ok: false, reason, illegal: true })
    }
    this.reports.write()
    if (target !== 'OnlinePartition') {
      for (const partition of legal) {
        await this.breathe()
        this.enter(partition, target)
      }
      return outcomes
    }
    const batch = new RequestBatch(this.parts.context)
    const isFresh = (partition: Partition) => partition.leadership === undefined
    const adopted = await this.initialise(legal.filter(isFresh), batch, outcomes)
    const others = legal.filter((partition) => !isFresh(partition) && !outcomes.has(partition))
    await this.elect([...others, ...adopted], strategy, batch, outcomes)
    this.reports.write()
    this.parts.send(batch)
    return outcomes
  }

  /** Elects leaders for the partitions that have none and whose topics are not being deleted. */
  async onlineLeaderless(topic?: string): Promise<void> {
    const partitions = [...this.parts.context.leaderless].filter((partition) => {
      return partition.topic.deletion === 'none' && (topic === undefined || partition.topic.name === topic)
    })
    if (partitions.length > 0) await this.movePartitions(partitions, 'OnlinePartition')
  }

  /** Moves replicas into `target`. Moves that are not legal are reported and left out. */
  async moveReplicas(replicas: Iterable<Replica>, target: ReplicaState): Promise<void> {
    const groups = new Map<number, Replica[]>()
    for (const replica of replicas) {
      const group = groups.get(replica.broker)
      if (group === undefined) groups.set(replica.broker, [replica])
      else group.push(replica)
    }
    const batch = new RequestBatch(this.parts.context)
    for (const [broker, group] of groups) await this.moveReplicasOf(broker, group, target, batch)
    this.reports.write()
    this.parts.send(batch)
  }

  /** Writes leader and ISR again under the next leader epoch. Gives back those for which that succeeded. */
  async bumpLeaderEpochs(partitions: readonly Partition[]): Promise<Partition[]> {
    const outcomes = await this.parts.leadership.update(partitions, (_, current) => ({ write: withNextEpoch(current) }))
    const raised = partitions.filter((partition) => {
      const outcome = outcomes.get(partition)!
      if (!outcome.ok) this.reports.add('error', partition, { reason: outcome.reason }, 'cannot raise the leader epoch')
      return outcome.ok
    })
    this.reports.write()
    return raised
  }

  /** Sends UpdateMetadata for `partitions` to `brokers` (all registered ones by default); with none: brokers only. */
  sendMetadata(partitions: Iterable<Partition>, brokers: Iterable<number> = this.parts.context.registeredBrokerIds()): void {
    const batch = new RequestBatch(this.parts.context)
    batch.addUpdateMetadata(brokers, partitions)
    this.parts.send(batch)
  }

  /** Notes the state of a replica without any message, where the brokers learn of it in another way. */
  enterReplica(replica: Replica, target: ReplicaState): void {
    const { context, recorder, controllerEpoch } = this.parts
    const { partition, broker } = replica
    const from = context.replicaState(partition, broker)
    context.setReplicaState(partition, broker, target)
    recorder.record({
      kind: 'stateTransition', topic: partition.topic.name, partition: partition.index, replica: broker, from, to: target,
      cause: this.parts.cause(), controllerEpoch,
    })
  }

  /** Notes the state of a partition. `rule` says what decided on its leader. */
  enter(partition: Partition, target: PartitionState, rule?: string): void {
    const { context, recorder, controllerEpoch } = this.parts
    const from = partition.state
    context.setState(partition, target)
    const { leadership } = partition
    recorder.record({
      kind: 'stateTransition', topic: partition.topic.name, partition: partition.index, from, to: target,
      cause: this.parts.cause(), controllerEpoch, ...(rule === undefined ? {} : { rule }),
      ...(leadership && { leader: leadership.leader, leaderEpoch: leadership.leaderEpoch, isr: leadership.isr }),
    })
  }

  /** Partitions whose states were written along with their topic: from nothing to Online, without another write. */
  async enterCreated(created: ReadonlyMap<Partition, Elected>): Promise<void> {
    const batch = new RequestBatch(this.parts.context)
    for (const [partition, election] of created) {
      await this.breathe()
      const { recipients, rule } = election
      partition.leadership = confirmed(election, 0, this.parts.controllerEpoch)
      this.enter(partition, 'NewPartition')
      this.enter(partition, 'OnlinePartition', rule)
      for (const broker of partition.assignment.replicas) this.parts.context.setReplicaState(partition, broker, 'OnlineReplica')
      batch.addLeaderAndIsr(recipients, partition, true)
    }
    this.parts.send(batch)
  }

  private async breathe(): Promise<void> {
    if (this.parts.slices.isDue()) await this.parts.slices.pause()
  }

  /** New to Online. Gives back partitions whose state was found in ZooKeeper and whose leader is not alive. */
  private async initialise(
    partitions: Partition[], batch: RequestBatch, outcomes: Map<Partition, ElectionOutcome>,
  ): Promise<Partition[]> {
    const { context } = this.parts
    const plans = new Map<Partition, Elected>()
    const withPast = partitions.filter((partition) => partition.former !== undefined)
    const policy = await this.policyFor(withPast, OFFLINE_ELECTION)
    for (const partition of partitions) {
      const election = planInitialLeader(context, partition, policy)
      if (isElected(election)) plans.set(partition, election)
      else this.fail(partition, election.failed, outcomes)
    }
    const adopted: Partition[] = []
    for (const [partition, outcome] of await this.parts.leadership.create(plans)) {
      if (!outcome.ok) this.fail(partition, outcome.reason, outcomes)
      else if (!outcome.written && !context.hasLiveLeader(partition)) adopted.push(partition)
      else {
        await this.breathe()
        const plan = plans.get(partition)!
        this.enter(partition, 'OnlinePartition', outcome.written ? plan.rule : 'found: its state was in ZooKeeper')
        outcomes.set(partition, { ok: true, leadership: partition.leadership! })
        const live = partition.assignment.replicas.filter((broker) => context.isReplicaOnline(broker, partition))
        batch.addLeaderAndIsr(outcome.written ? plan.recipients : live, partition, true)
      }
    }
    return adopted
  }

  private async elect(
    partitions: Partition[], strategy: ElectionStrategy, batch: RequestBatch, outcomes: Map<Partition, ElectionOutcome>,
  ): Promise<void> {
    const policy = await this.policyFor(partitions, strategy)
    const elections = new Map<Partition, Elected>()
    const decide = (partition: Partition, current: LeaderAndIsr): LeadershipDecision => {
      const election = planElection(this.parts.context, partition, current, strategy, policy)
      if (!isElected(election)) return { failed: election.failed }
      elections.set(partition, election)
      return { write: election }
    }
    for (const [partition, outcome] of await this.parts.leadership.update(partitions, decide)) {
      if (!outcome.ok) {
        this.fail(partition, outcome.reason, outcomes)
        continue
      }
      await this.breathe()
      const election = elections.get(partition)!
      this.enter(partition, 'OnlinePartition', election.rule)
      outcomes.set(partition, { ok: true, leadership: partition.leadership! })
      batch.addLeaderAndIsr(election.recipients, partition, false)
    }
  }

  private async policyFor(partitions: Partition[], strategy: ElectionStrategy): Promise<ElectionPolicy> {
    const { context, recoveryState } = this.parts
    const topics = new Set<string>()
    if (strategy.kind === 'offline' && !strategy.allowUnclean) {
      for (const partition of partitions) if (hasNoLiveIsr(context, partition)) topics.add(partition.topic.name)
    }
    const unclean = topics.size === 0 ? topics : await this.parts.uncleanTopics(topics)
    return { uncleanAllowed: (partition) => unclean.has(partition.topic.name), recoveryState }
  }

  private fail(partition: Partition, reason: string, outcomes: Map<Partition, ElectionOutcome>): void {
    const { recorder, controllerEpoch } = this.parts
    this.reports.add('warn', partition, { state: partition.state, reason }, 'the partition cannot go online')
    recorder.record({
      kind: 'stateTransition', topic: partition.topic.name, partition: partition.index,
      from: partition.state, to: 'OnlinePartition', cause: this.parts.cause(), controllerEpoch, error: reason,
    })
    outcomes.set(partition, { ok: false, reason })
  }

  private async moveReplicasOf(broker: number, replicas: Replica[], target: ReplicaState, batch: RequestBatch): Promise<void> {
    const { context } = this.parts
    const planned: { replica: Replica; commands: readonly ReplicaCommand[] }[] = []
    for (const replica of replicas) {
      const plan = planReplicaMove(context, replica, target)
      if ('commands' in plan) planned.push({ replica, commands: plan.commands })
      else {
        this.reports.add('error', replica.partition, { broker, target, reason: plan.refused }, 'the replica cannot change its state')
      }
    }
    const leaving = planned.filter(({ commands }) => commands.some((command) => command.do === 'leaveIsr'))
    const outcomes = await this.parts.leadership.update(leaving.map(({ replica }) => replica.partition), (_, current) => {
      const next = withoutReplica(current, broker)
      return next === undefined ? 'keep' : { write: next }
    })
    for (const { replica, commands } of planned) {
      await this.breathe()
      const outcome = outcomes.get(replica.partition)
      if (outcome?.ok === false) {
        this.reports.add('error', replica.partition, { broker, reason: outcome.reason }, 'cannot take the replica out of the ISR')
        continue
      }
      for (const command of commands) this.carryOut(command, replica, outcome, batch)
      this.enterReplica(replica, target)
    }
  }

  private carryOut(command: ReplicaCommand, replica: Replica, outcome: LeadershipOutcome | undefined, batch: RequestBatch): void {
    const { context } = this.parts
    const { partition, broker } = replica
    switch (command.do) {
      case 'tellReplica':
        batch.addLeaderAndIsr([broker], partition, command.isNew)
        break
      case 'stopReplica':
        batch.addStopReplica([broker], partition, command.deletePartition)
        break
      case 'leaveIsr': {
        if (partition.topic.deletion !== 'none') break
        const others = partition.assignment.replicas.filter((other) => other !== broker)
        if (outcome?.ok === true && outcome.written) batch.addLeaderAndIsr(others, partition, false)
        else batch.addUpdateMetadata(context.registeredBrokerIds(), [partition])
        break
      }
      case 'tellMetadata':
        if (partition.topic.deletion === 'none') batch.addUpdateMetadata(context.registeredBrokerIds(), [partition])
        break
      case 'leaveAssignment': {
        const { replicas, adding, removing } = partition.assignment
        const without = (list: readonly number[]) => list.filter((other) => other !== broker)
        context.setAssignment(partition, { replicas: without(replicas), adding: without(adding), removing: without(removing) })
      }
    }
  }
}
