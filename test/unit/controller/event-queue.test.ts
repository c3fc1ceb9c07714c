import fc from 'fast-check'
import { Completion } from '../../../controller/completion'
import { EventQueue } from '../../../controller/event-queue'
import type { Lane } from '../../../controller/event-queue'
import { coalesceKey, isRequest, LANE_OF } from '../../../controller/events/event'
import type { ControllerEvent, RequestEvent } from '../../../controller/events/event'
import { HANDLERS } from '../../../controller/events/handlers'
import { REFUSALS } from '../../../controller/events/refusals'
import { realClock } from '../../../runtime/real-clock'
import type { Clock } from '../../../runtime/ports'

interface Event {
  name: string
  lane: Lane
  key?: string
}

function queueOf(
  options: { clock?: Clock; maxPerLane?: number; patienceMs?: number; during?: (event: Event) => Promise<void> } = {},
) {
  const done: string[] = []
  const refused: string[] = []
  const faults: string[] = []
  const queue = new EventQueue<Event>({
    clock: options.clock ?? realClock, laneOf: ({ lane }) => lane, coalesceKey: ({ key }) => key, isRequest: ({ key }) => key === undefined,
    process: async (event) => {
      await options.during?.(event)
      done.push(event.name)
    },
    refuse: ({ name }) => refused.push(name),
    onFault: ({ name }) => faults.push(name),
    ...(options.maxPerLane === undefined ? {} : { maxPerLane: options.maxPerLane }),
    ...(options.patienceMs === undefined ? {} : { patienceMs: options.patienceMs }),
  })
  return { queue, done, refused, faults }
}

test('one after the other, the urgent lanes first', async () => {
  const { queue, done } = queueOf()
  queue.put({ name: 'first', lane: 'housekeeping' })
  queue.put({ name: 'admin 1', lane: 'administration' })
  queue.put({ name: 'admin 2', lane: 'administration' })
  queue.put({ name: 'failure', lane: 'brokerFailure' })
  queue.put({ name: 'expired', lane: 'session' })
  await queue.idle()
  expect(done).toEqual(['first', 'expired', 'failure', 'admin 1', 'admin 2'])
})

test('never two at a time, and never in the stack of the caller', async () => {
  let running = 0
  let most = 0
  const { queue, done } = queueOf({
    during: async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
    },
  })
  for (let index = 0; index < 20; index++) queue.put({ name: String(index), lane: 'administration' })
  expect(done).toEqual([])
  await queue.idle()
  expect(most).toBe(1)
  expect(done).toHaveLength(20)
})

test('events of one key wait once; while one is handled the next may wait', async () => {
  const { queue, done } = queueOf({
    during: async ({ name }) => {
      if (name === 'a') queue.put({ name: 'again', lane: 'administration', key: 'k' })
    },
  })
  queue.put({ name: 'a', lane: 'administration', key: 'k' })
  queue.put({ name: 'b', lane: 'administration', key: 'k' })
  queue.put({ name: 'c', lane: 'administration', key: 'k' })
  queue.put({ name: 'other', lane: 'administration', key: 'l' })
  await queue.idle()
  expect(done).toEqual(['a', 'b', 'other'])
})

test('a fault is reported and the next event is handled', async () => {
  const { queue, done, faults } = queueOf({
    during: async ({ name }) => {
      if (name === 'bad') throw new Error('bad')
    },
  })
  queue.put({ name: 'bad', lane: 'administration' })
  queue.put({ name: 'good', lane: 'administration' })
  await queue.idle()
  expect([faults, done]).toEqual([['bad'], ['good']])
})

test('a full lane refuses; a cleared and a closed queue refuse what waits and what comes', async () => {
  const { queue, done, refused } = queueOf({ maxPerLane: 2 })
  for (const name of ['running', 'a', 'b', 'c']) queue.put({ name, lane: 'administration' })
  expect(refused).toEqual(['c'])
  queue.clear()
  expect(refused).toEqual(['c', 'a', 'b'])
  await queue.close()
  expect(queue.put({ name: 'late', lane: 'session' })).toBe(false)
  expect([done, refused]).toEqual([['running'], ['c', 'a', 'b', 'late']])
})

test('a full lane takes what nobody waits for', async () => {
  const { queue, done, refused } = queueOf({ maxPerLane: 1 })
  for (const key of ['running', 'a', 'b', 'a']) queue.put({ name: key, key, lane: 'administration' })
  await queue.idle()
  expect([done, refused]).toEqual([['running', 'a', 'b'], []])
})

test('nobody starves: what waited too long goes before the more urgent, except the session\'s', async () => {
  let nowMs = 0
  const clock: Clock = { ...realClock, monoMs: () => nowMs }
  const { queue, done } = queueOf({ clock, patienceMs: 100 })
  queue.put({ name: 'running', lane: 'administration' })
  queue.put({ name: 'patient', lane: 'housekeeping' })
  nowMs = 200
  queue.put({ name: 'failure', lane: 'brokerFailure' })
  queue.put({ name: 'expired', lane: 'session' })
  await queue.idle()
  expect(done).toEqual(['running', 'expired', 'patient', 'failure'])
})

test('whatever is put is processed, merged or refused exactly once, in any order of puts and clears', async () => {
  const lanes: Lane[] = ['session', 'brokerFailure', 'isrAndShutdown', 'administration', 'housekeeping']
  await fc.assert(fc.asyncProperty(fc.array(
    fc.oneof({ weight: 10, arbitrary: fc.nat(4) }, { weight: 1, arbitrary: fc.constant(-1) }),
  ), async (steps) => {
    const { queue, done, refused } = queueOf({ during: () => Promise.resolve() })
    let count = 0
    for (const step of steps) {
      if (step < 0) queue.clear()
      else queue.put({ name: String(count++), lane: lanes[step]! })
      if (count % 3 === 0) await Promise.resolve()
    }
    await queue.idle()
    expect([...done, ...refused].map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index))
  }))
})

test('a request is answered once, and a second answer is a bug', async () => {
  const completion = new Completion(() => 'refused')
  completion.complete('done')
  expect(() => completion.refuse()).toThrow('answered twice')
  expect(await completion.promise).toBe('done')
})

test('every kind of event has a lane and a handler, every request a refusal; only events that re-read the world are merged', () => {
  const office = ['Startup', 'ControllerChange', 'Reelect', 'RegisterBrokerAndReelect', 'Expire']
  expect([...office, ...Object.keys(HANDLERS)].sort()).toEqual(Object.keys(LANE_OF).sort())
  for (const kind of Object.keys(REFUSALS)) expect(HANDLERS).toHaveProperty(kind)
  const request = {
    kind: 'AlterPartition', request: {
      brokerId: 0, brokerEpoch: 0, topics: [],
    }, version: 0, completion: new Completion(() => ({})),
  } as RequestEvent
  expect([isRequest(request), coalesceKey(request)]).toEqual([true, undefined])
  const key = (event: ControllerEvent) => coalesceKey(event)
  expect(key({ kind: 'PartitionModifications', topic: 'a' })).not.toBe(key({ kind: 'PartitionModifications', topic: 'b' }))
  expect(key({ kind: 'BrokerModifications', broker: 1 })).toBe(key({ kind: 'BrokerModifications', broker: 1 }))
  expect(key({ kind: 'BrokerChange' })).toBe('BrokerChange')
})
