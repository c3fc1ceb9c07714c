import fc from 'fast-check'
import {
  electControlledShutdownLeader, electInitialLeader, electOfflinePartitionLeader, electPreferredLeader, electReassignLeader,
  isElected,
  RECOVERED, RECOVERING,
} from '../../../controller/leader-election'
import type { Elected, LeaderAndIsr } from '../../../controller/leader-election'
import { withNextEpoch, withoutReplica } from '../../../controller/partition-state-machine'

const online = (...brokers: number[]) => (broker: number) => brokers.includes(broker)
const current: LeaderAndIsr = { leader: 1, leaderEpoch: 4, isr: [1, 3], recoveryState: RECOVERED }

test('initial: the first live replica leads, all live ones are in sync', () => {
  expect(electInitialLeader([1, 2, 3], online(2, 3))).toMatchObject(
    { leader: 2, isr: [2, 3], leaderEpoch: 0, recipients: [2, 3] },
  )
  expect(electInitialLeader([1, 2], online(3))).toHaveProperty('failed')
})

test('offline: in order of assignment, live and in sync', () => {
  expect(electOfflinePartitionLeader({ replicas: [1, 2, 3], isOnline: online(2, 3), current }, false)).toMatchObject({
    leader: 3, isr: [3], leaderEpoch: 5, rule: 'offline: first live replica in ISR', recipients: [2, 3], recoveryState: RECOVERED,
  })
})

test('offline: unclean only if allowed, and only if nobody in sync lives', () => {
  const facts = { replicas: [1, 2, 3], isOnline: online(2), current }
  expect(electOfflinePartitionLeader(facts, false)).toHaveProperty('failed')
  expect(electOfflinePartitionLeader(facts, true)).toMatchObject({
    leader: 2, isr: [2], recoveryState: RECOVERING, rule: 'offline: unclean, first live replica',
  })
  expect(electOfflinePartitionLeader(facts, true, false)).toMatchObject({ recoveryState: RECOVERED })
  expect(electOfflinePartitionLeader({ ...facts, isOnline: online(2, 3) }, true)).toMatchObject({ leader: 3 })
  expect(electOfflinePartitionLeader({ ...facts, isOnline: online() }, true)).toHaveProperty('failed')
})

test('reassign: a target replica in sync, the ISR unchanged', () => {
  expect(
    electReassignLeader({ replicas: [4, 3], isOnline: online(3, 4), current }),
  ).toMatchObject({ leader: 3, isr: [1, 3], recipients: [4, 3] })
  expect(electReassignLeader({ replicas: [4], isOnline: online(4), current })).toHaveProperty('failed')
})

test('preferred: the head of the assignment or nobody', () => {
  expect(electPreferredLeader({ replicas: [3, 1], isOnline: online(1, 3), current })).toMatchObject({ leader: 3, isr: [1, 3] })
  expect(electPreferredLeader({ replicas: [2, 1], isOnline: online(1, 2), current })).toHaveProperty('failed')
  expect(electPreferredLeader({ replicas: [3, 1], isOnline: online(1), current })).toHaveProperty('failed')
})

test('controlled shutdown: another in sync, the ISR without those that stop', () => {
  const facts = { replicas: [1, 2, 3], isOnline: online(1, 2, 3), current }
  expect(electControlledShutdownLeader(facts, online(1))).toMatchObject({ leader: 3, isr: [3], recipients: [1, 2, 3] })
  expect(electControlledShutdownLeader(facts, online(1, 3))).toHaveProperty('failed')
})

test('a replica that goes offline leaves the ISR, but the last one stays in it', () => {
  expect(withoutReplica(current, 1)).toEqual({ leader: -1, isr: [3], leaderEpoch: 5, recoveryState: 0 })
  expect(withoutReplica(current, 3)).toEqual({ leader: 1, isr: [1], leaderEpoch: 5, recoveryState: 0 })
  expect(withoutReplica({ ...current, isr: [1] }, 1)).toEqual({ leader: -1, isr: [1], leaderEpoch: 5, recoveryState: 0 })
  expect(withoutReplica({ ...current, leader: -1, isr: [1] }, 1)).toBeUndefined()
  expect(withoutReplica(current, 2)).toBeUndefined()
  expect(withNextEpoch(current)).toEqual({ ...current, leaderEpoch: 5 })
})

test('whoever is elected lives, is assigned, leads an ISR that it is in, under the next epoch', () => {
  const broker = fc.integer({ min: 0, max: 5 })
  const brokers = fc.uniqueArray(broker, { minLength: 1, maxLength: 5 })
  fc.assert(fc.property(brokers, brokers, brokers, brokers, fc.boolean(), (replicas, isr, live, stopping, unclean) => {
    const state: LeaderAndIsr = { leader: isr[0]!, leaderEpoch: 7, isr, recoveryState: RECOVERED }
    const facts = { replicas, isOnline: online(...live), current: state }
    const elections = [
      electOfflinePartitionLeader(facts, unclean), electReassignLeader(facts), electPreferredLeader(facts),
      electControlledShutdownLeader(facts, online(...stopping)),
    ]
    for (const election of elections.filter(isElected) as Elected[]) {
      expect(live).toContain(election.leader)
      expect(replicas).toContain(election.leader)
      expect(election.isr).toContain(election.leader)
      expect(election.leaderEpoch).toBe(8)
      if (!election.rule.includes('unclean')) expect(isr).toContain(election.leader)
    }
    // Clean wherever it can be.
    const offline = elections[0]!
    if (
      replicas.some((id) => live.includes(id) && isr.includes(id))
    ) expect(offline).toMatchObject({ rule: 'offline: first live replica in ISR' })
  }))
})
