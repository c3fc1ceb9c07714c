import { ControllerContext } from '../../../controller/context'
import { isLegalPartitionTransition, LEGAL_PREVIOUS_PARTITION_STATES } from '../../../controller/partition-states'
import { planReplicaMove } from '../../../controller/replica-state-machine'
import { LEGAL_PREVIOUS_REPLICA_STATES } from '../../../controller/replica-states'
import type { ReplicaState } from '../../../controller/replica-states'
import { plainAssignment, reassignTo, originReplicas, targetReplicas, isBeingReassigned } from '../../../controller/assignment'

test('the moves of a partition are those of Kafka\'s PartitionStateMachine', () => {
  expect(LEGAL_PREVIOUS_PARTITION_STATES).toEqual({
    NewPartition: ['NonExistentPartition'],
    OnlinePartition: ['NewPartition', 'OnlinePartition', 'OfflinePartition'],
    OfflinePartition: ['NewPartition', 'OnlinePartition', 'OfflinePartition'],
    NonExistentPartition: ['OfflinePartition'],
  })
  expect(isLegalPartitionTransition('NonExistentPartition', 'OnlinePartition')).toBe(false)
})

function partitionWith(states: Record<number, ReplicaState>, leader: number | undefined, isr: number[] = [], deleting = false) {
  const context = new ControllerContext()
  const topic = context.addTopic('t', undefined, 1, 0)
  if (deleting) topic.deletion = 'started'
  const partition = context.addPartition(topic, 0, plainAssignment(Object.keys(states).map(Number)))
  if (leader !== undefined) partition.leadership = {
    leader, leaderEpoch: 0, isr, recoveryState: 0, partitionEpoch: 0, controllerEpoch: 1
  }
  for (const [broker, state] of Object.entries(states)) context.setReplicaState(partition, Number(broker), state)
  return { context, partition }
}

test('every move of a replica is refused or planned, by the table', () => {
  const all = Object.keys(LEGAL_PREVIOUS_REPLICA_STATES) as ReplicaState[]
  for (const from of all) {
    for (const to of all) {
      const { context, partition } = partitionWith({ 1: from, 2: 'OnlineReplica' }, 2, [1, 2])
      const plan = planReplicaMove(context, { partition, broker: 1 }, to)
      expect('commands' in plan).toBe(LEGAL_PREVIOUS_REPLICA_STATES[to].includes(from))
    }
  }
})

test('what a move asks for', () => {
  const commands = (from: ReplicaState, to: ReplicaState, leader: number | undefined, isr: number[], deleting = false) => {
    const { context, partition } = partitionWith({ 1: from, 2: 'OnlineReplica' }, leader, isr, deleting)
    const plan = planReplicaMove(context, { partition, broker: 1 }, to)
    return 'commands' in plan ? plan.commands.map((command) => command.do) : plan.refused
  }
  expect(commands('NonExistentReplica', 'NewReplica', 2, [2])).toEqual(['tellReplica'])
  expect(commands('NonExistentReplica', 'NewReplica', undefined, [])).toEqual([])
  expect(commands('NonExistentReplica', 'NewReplica', 1, [1])).toBe('a new replica must not be the leader')
  expect(commands('NewReplica', 'OnlineReplica', 2, [2])).toEqual([])
  expect(commands('OfflineReplica', 'OnlineReplica', 2, [2])).toEqual(['tellReplica'])
  expect(commands('OnlineReplica', 'OfflineReplica', 2, [1, 2])).toEqual(['stopReplica', 'leaveIsr'])
  expect(commands('OnlineReplica', 'OfflineReplica', 2, [2])).toEqual(['stopReplica', 'tellMetadata'])
  expect(commands('OnlineReplica', 'OfflineReplica', undefined, [])).toEqual(['stopReplica', 'tellMetadata'])
  expect(commands('OnlineReplica', 'OfflineReplica', 2, [1, 2], true)).toEqual([])
  expect(commands('OfflineReplica', 'ReplicaDeletionStarted', 2, [2])).toEqual(['stopReplica'])
  expect(commands('ReplicaDeletionSuccessful', 'NonExistentReplica', 2, [2])).toEqual(['leaveAssignment'])
})

test('assignments on the way (KIP-455)', () => {
  const on = reassignTo(plainAssignment([1, 2, 3]), [4, 2])
  expect(on).toEqual({ replicas: [4, 2, 1, 3], adding: [4], removing: [1, 3] })
  expect([originReplicas(on).sort(), targetReplicas(on)]).toEqual([[1, 2, 3], [4, 2]])
  expect(reassignTo(on, [5, 1])).toEqual({ replicas: [5, 1, 2, 3], adding: [5], removing: [2, 3] })
  expect(isBeingReassigned(reassignTo(on, originReplicas(on)))).toBe(false)
})

test('the context keeps its indexes while topics and assignments come and go', () => {
  const context = new ControllerContext()
  const topic = context.addTopic('t', 'id', 1, 0)
  const first = context.addPartition(topic, 0, plainAssignment([1, 2]))
  const second = context.addPartition(topic, 1, plainAssignment([2, 3]))
  expect([...context.partitionsOn(2)]).toEqual([first, second])
  context.setAssignment(first, plainAssignment([3]))
  expect(
    [[...context.partitionsOn(1)], [...context.partitionsOn(2)], [...context.partitionsOn(3)]],
  ).toEqual([[], [second], [second, first]])
  context.setState(first, 'NewPartition')
  expect([...context.leaderless]).toEqual([first])
  context.setState(first, 'OnlinePartition')
  context.setState(second, 'NewPartition')
  expect([...context.leaderless]).toEqual([second])
  expect(context.partitionTotal).toBe(2)
  context.removeTopic(topic)
  expect(
    [context.partitionTotal, context.leaderless.size, context.partitionsOn(3).size, context.topicsById.size],
  ).toEqual([0, 0, 0, 0])
  expect(context.isKnown(first)).toBe(false)
  expect(() => {
    context.addTopic('u', undefined, 1, 0)
    context.addTopic('u', undefined, 2, 0)
  }).toThrow('known already')
})
