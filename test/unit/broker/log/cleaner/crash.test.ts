import type { LogManager } from '../../../../../broker/log/log-manager'
import { batches, CleanerFixture, committed, endOf, recordsOf } from './cleaner-fixture'

const KINDS = ['rename', 'remove', 'syncDirectory', 'syncDirectoryLater', 'open', 'setModified'] as const

/** Makes the `at`th operation on the disk, and all that follow, fail: the process ends there. How many there were. */
class CrashingDisk {
  count = 0
  at = Number.POSITIVE_INFINITY
  private readonly undo: (() => void)[] = []

  constructor(disk: object) {
    const target = disk as Record<string, (...args: unknown[]) => unknown>
    for (const kind of KINDS) {
      const original = target[kind]!
      target[kind] = (...args) => {
        if (this.count++ >= this.at) throw Object.assign(new Error('the process has ended'), { code: 'EIO' })
        return original.apply(disk, args)
      }
      this.undo.push(() => (target[kind] = original))
    }
  }

  restore(): void {
    for (const each of this.undo) each()
  }
}

/** A log of four cleanable segments with transactions, all of it synced. */
async function filled(fixture: CleanerFixture): Promise<LogManager> {
  const manager = await fixture.openCleaning({ 'segment.bytes': '700' })
  const log = manager.getOrCreate('t', 0)
  for (let round = 0; round < 4; round++) {
    const sequence = round * 2
    fixture.put(log, ['a', `a${round}`], ['b', `b${round}`], [`only${round}`, 'x'])
    const identity = { producerId: 7, producerEpoch: 0, baseSequence: sequence, transactional: true }
    fixture.append(log, recordsOf([['t', `t${round}`], [`tx${round}`, 'y']], { ...identity, timestamp: fixture.nowMs }))
    fixture.append(log, endOf(round % 2 === 0 ? 0 : 1, 7, 0, fixture.nowMs), 'coordinator')
    fixture.roll(log)
  }
  await fixture.settle(manager)
  await fixture.run(log.flush())
  await fixture.run(manager.context.background.drained())
  return manager
}

const latest = (manager: LogManager) => {
  const log = manager.getOrCreate('t', 0)
  log.updateHighWatermark(log.endOffset)
  return Object.fromEntries(committed(log).map(({ key, value }) => [key!, value]))
}

const EXPECTED = { a: 'a3', b: 'b3', only0: 'x', only1: 'x', only2: 'x', only3: 'x', t: 't3', tx1: 'y', tx3: 'y' }

async function operations(): Promise<number> {
  const fixture = new CleanerFixture()
  const manager = await filled(fixture)
  const disk = new CrashingDisk(fixture.disk)
  await fixture.clean(manager)
  disk.restore()
  expect(manager.get('t', 0)!.cleanedOffset).toBe(24)
  return disk.count
}

test.each(['kill', 'cutPower'] as const)('a %s at any step of a cleaning loses nothing', async (how) => {
  const total = await operations()
  expect(total).toBeGreaterThan(20)
  const sizes = new Set<number>()
  for (let at = 0; at <= total; at++) {
    for (let seed = 1; seed <= (how === 'kill' ? 1 : 3); seed++) {
      const fixture = new CleanerFixture(seed * 1000 + at)
      await filled(fixture)
      const disk = new CrashingDisk(fixture.disk)
      disk.at = at
      await fixture.world.run(1100)
      fixture.process[how]()
      await fixture.world.run(0)
      disk.restore()
      const again = await fixture.openCleaning({ 'segment.bytes': '700' })
      const log = again.getOrCreate('t', 0)
      expect({ at, seed, latest: latest(again), end: log.endOffset }).toEqual({ at, seed, latest: EXPECTED, end: 24 })
      let next = 0
      for (const batch of batches(log)) {
        expect(Number(batch.readBigInt64BE(0))).toBeGreaterThanOrEqual(next)
        next = Number(batch.readBigInt64BE(0)) + batch.readInt32BE(23) + 1
      }
      sizes.add(log.size)
      await fixture.clean(again)
      expect(latest(again)).toEqual(EXPECTED)
      const left = fixture.disk.list('/data/a/t-0').filter((name) => /\.(cleaned|swap)$/.test(name))
      expect(left).toEqual([])
    }
  }
  // Old and new segments both came out of it.
  expect(sizes.size).toBeGreaterThan(1)
}, 60_000)
