import fc from 'fast-check'
import { DelayedOperation, Purgatory } from '../../../../broker/replica/purgatory'
import { TimerWheel } from '../../../../runtime/timer-wheel'
import { World } from '../../../simulation/world/world'

class Waiting extends DelayedOperation<string> {
  isDone = false
  readonly completions: boolean[] = []
  readonly asked: (string | undefined)[] = []

  protected isReady(changed: string | undefined): boolean {
    this.asked.push(changed)
    return this.isDone
  }

  protected onComplete(expired: boolean): void {
    this.completions.push(expired)
  }
}

function setUp(maxOperations = 100) {
  const world = new World(1)
  const timers = new TimerWheel(world.process('p').env.clock)
  return { world, timers, purgatory: new Purgatory<string>(timers, maxOperations) }
}

test('what is ready does not wait', () => {
  const { purgatory, timers } = setUp()
  const operation = new Waiting()
  operation.isDone = true
  expect(purgatory.tryCompleteElseWatch(operation, ['a'], 1000)).toBe(true)
  expect(operation.completions).toEqual([false])
  expect([purgatory.size, purgatory.watchedKeys, timers.size]).toEqual([0, 0, 0])
})

test('completes when one of its keys changes, once, and leaves nothing behind', () => {
  const { purgatory, timers } = setUp()
  const operation = new Waiting()
  expect(purgatory.tryCompleteElseWatch(operation, ['a', 'b'], 1000)).toBe(false)
  expect(purgatory.checkAndComplete('a')).toBe(0)
  operation.isDone = true
  expect(purgatory.checkAndComplete('c')).toBe(0)
  expect(purgatory.checkAndComplete('b')).toBe(1)
  expect(purgatory.checkAndComplete('a')).toBe(0)
  expect(operation.forceComplete()).toBe(false)
  expect(operation.completions).toEqual([false])
  expect(operation.asked).toEqual([undefined, 'a', 'b'])
  expect([purgatory.size, purgatory.watchedKeys, timers.size]).toEqual([0, 0, 0])
})

test('completes when its time is over', async () => {
  const { world, purgatory } = setUp()
  const operation = new Waiting()
  purgatory.tryCompleteElseWatch(operation, ['a'], 100)
  await world.run(95)
  expect(operation.completions).toEqual([])
  await world.run(30)
  expect(operation.completions).toEqual([true])
  expect([purgatory.size, purgatory.watchedKeys]).toEqual([0, 0])
})

test('a full purgatory answers at once; completeAll ends all waiting', () => {
  const { purgatory } = setUp(1)
  const [first, second] = [new Waiting(), new Waiting()]
  purgatory.tryCompleteElseWatch(first, ['a'], 1000)
  expect(purgatory.tryCompleteElseWatch(second, ['a'], 1000)).toBe(true)
  expect(second.completions).toEqual([true])
  purgatory.completeAll()
  expect(first.completions).toEqual([false])
  expect(purgatory.size).toBe(0)
})

test('whatever happens in whatever order, each operation completes exactly once', async () => {
  const action = fc.oneof(
    fc.record({
      kind: fc.constant('add' as const),
      keys: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }),
      timeoutMs: fc.nat(200),
    }),
    fc.record({ kind: fc.constant('ready' as const), index: fc.nat(20) }),
    fc.record({ kind: fc.constant('check' as const), key: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ kind: fc.constant('force' as const), index: fc.nat(20) }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(100) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
      const { world, timers, purgatory } = setUp(8)
      const all: Waiting[] = []
      for (const each of actions) {
        if (each.kind === 'add') {
          all.push(new Waiting())
          purgatory.tryCompleteElseWatch(all.at(-1)!, each.keys, each.timeoutMs)
        } else if (each.kind === 'ready' && all[each.index]) all[each.index]!.isDone = true
        else if (each.kind === 'check') purgatory.checkAndComplete(each.key)
        else if (each.kind === 'force') all[each.index]?.forceComplete()
        else if (each.kind === 'pass') await world.run(each.ms)
        expect(all.every((operation) => operation.completions.length <= 1)).toBe(true)
        expect(purgatory.size).toBe(all.filter((operation) => !operation.isCompleted).length)
      }
      await world.run(300)
      expect(all.map((operation) => operation.completions.length)).toEqual(all.map(() => 1))
      expect([purgatory.size, purgatory.watchedKeys, timers.size]).toEqual([0, 0, 0])
    }),
    { numRuns: 60 },
  )
})
