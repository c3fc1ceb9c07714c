/** A log that is killed in the middle of something: nothing is missing between its records afterwards, and none comes back. */
import type { Log } from '../../../../broker/log/log'
import { batch, batchesOf, contentOf, Fixture } from './log-fixture'

const DIR = '/data/a/t-0'
const RECOVERY_POINTS = '/data/a/recovery-point-offset-checkpoint'
const config = { 'segment.bytes': '400', 'index.interval.bytes': '100' }

function offsetsOf(content: Buffer): number[] {
  return batchesOf(content).map((each) => Number(each.readBigInt64BE(0)))
}

interface Killing {
  fixture: Fixture
  log: Log
  /** From now on the process ends at the n-th change of the names in the partition's folder. */
  begin(): void
}

/** What is left, for every moment of `act` at which the process may be killed. */
async function killedInEach(act: (killing: Killing) => Promise<unknown>): Promise<void> {
  let isKilled = true
  for (let n = 1; isKilled; n++) {
    const fixture = new Fixture()
    const manager = await fixture.open(config)
    const log = manager.getOrCreate('t', 0, { isNew: true })
    for (let i = 0; i < 12; i++) log.appendAsLeader(batch(3, { timestamp: 1000 * i }), { leaderEpoch: 0, origin: 'client' })
    await fixture.settle(manager)
    const methods = ['rename', 'syncDirectory', 'remove'] as const
    const disk = fixture.disk as unknown as Record<string, (...args: string[]) => unknown>
    let count = 0
    const begin = (): void => {
      for (const method of methods) {
        const original = disk[method]!
        disk[method] = (...args) => {
          if (args[0]!.startsWith(DIR) && !args[0]!.endsWith('.tmp') && ++count >= n) throw new Error('killed')
          return original.apply(fixture.disk, args)
        }
      }
    }
    try {
      await act({ fixture, log, begin })
    } catch (error) {
      if (!/killed/.test((error as Error).message)) throw error
    }
    for (const method of methods) delete disk[method]
    isKilled = count >= n
    fixture.kill()
    const again = await fixture.open(config)
    const offsets = offsetsOf(contentOf(again.get('t', 0)!))
    expect(offsets).toEqual(offsets.map((_, i) => 3 * i))
  }
}

test('a recovery that drops what is damaged leaves no hole', async () => {
  await killedInEach(async ({ fixture, log, begin }) => {
    const [, second] = log.segments.all()
    fixture.kill()
    fixture.disk.remove(RECOVERY_POINTS)
    // A power cut took the end of the second segment.
    const path = `${DIR}/${String(second!.baseOffset).padStart(20, '0')}.log`
    const { size } = fixture.disk.stat(path)!
    const file = fixture.disk.open(path, 'update')
    file.write(Buffer.alloc(40), size - 40)
    file.close()
    begin()
    await fixture.open(config)
  })
})

test('a truncation leaves no hole', async () => {
  await killedInEach(({ log, begin }) => {
    begin()
    return Promise.resolve(log.truncateTo(9))
  })
})

test.each(['within the first segment', 'below it'])('a log that is cut below its checkpointed start (%s) keeps what comes then', async (where) => {
  const fixture = new Fixture()
  let manager = await fixture.open({}, { startOffsetCheckpointIntervalMs: 1000, initialTaskDelayMs: 1000 })
  const log = manager.getOrCreate('t', 0, { isNew: true })
  if (where === 'below it') log.truncateFullyAndStartAt(90)
  for (let o = log.endOffset; o < 200; o += 10) log.appendAsFollower(batch(10, { baseOffset: o, leaderEpoch: 3 }))
  log.updateHighWatermark(200)
  // DeleteRecords, and its checkpoint.
  log.incrementLogStartOffset(105)
  await fixture.world.run(3000)
  await fixture.settle(manager)
  // An unclean leader ends at 50; then come its records, which are committed.
  log.truncateTo(50)
  for (let o = 50; o < 90; o += 10) log.appendAsFollower(batch(10, { baseOffset: o, leaderEpoch: 5 }))
  log.updateHighWatermark(90)
  await fixture.run(manager.context.background.drained())
  fixture.kill()
  manager = await fixture.open()
  const again = manager.get('t', 0)!
  expect([again.startOffset, again.endOffset]).toEqual([50, 90])
})

test('a recovery point that is on its way to the disk when the log is cut is not believed after the next roll', async () => {
  const fixture = new Fixture()
  const large = { 'segment.bytes': '4000' }
  let manager = await fixture.open(large)
  const log = manager.getOrCreate('t', 0, { isNew: true })
  const fill = (epoch: number, from: number, to: number): void => {
    for (let o = from; o < to; o += 10) log.appendAsFollower(batch(10, { baseOffset: o, leaderEpoch: epoch }))
  }
  fill(3, 0, 60)
  fill(4, 60, 300)
  await fixture.settle(manager)
  expect(log.recoveryPoint).toBeGreaterThan(100)
  await log.epochFile.write
  let isWritten = false
  const disk = fixture.disk as unknown as { rename?: (from: string, to: string) => void }
  const rename = fixture.disk.rename.bind(fixture.disk)
  disk.rename = (from, to) => {
    rename(from, to)
    if (to === RECOVERY_POINTS) isWritten = true
  }
  void manager.checkpointRecoveryPoints()
  // Meanwhile it is cut, grows again under another leader, and is rolled.
  log.truncateTo(60)
  fill(7, 60, 200)
  const epochs = log.epochs.entries.map((each) => ({ ...each }))
  await fixture.world.runUntil(() => isWritten, 1000, 'it is written')
  fixture.kill()
  delete disk.rename
  manager = await fixture.open(large)
  expect(manager.get('t', 0)!.epochs.entries).toEqual(epochs)
})

test('epochs that were cut off do not come back where compaction has left a gap behind the cut', async () => {
  const fixture = new Fixture()
  const compacted = { 'cleanup.policy': 'compact' }
  let manager = await fixture.open(compacted)
  const log = manager.getOrCreate('t', 0, { isNew: true })
  const append = (epoch: number, offset: number) => log.appendAsFollower(batch(10, { baseOffset: offset, leaderEpoch: epoch }))
  for (const [epoch, offset] of [[3, 0], [4, 60], [5, 80]] as const) append(epoch, offset)
  // As at a roll, or a stop.
  await fixture.run(log.epochFile.write())
  log.truncateTo(60)
  await fixture.settle(manager)
  // The leader's records from 60 to 99 are compacted away.
  append(7, 100)
  await fixture.settle(manager)
  const epochs = log.epochs.entries.map((each) => ({ ...each }))
  expect(epochs).toEqual([{ epoch: 3, startOffset: 0 }, { epoch: 7, startOffset: 100 }])
  fixture.kill()
  manager = await fixture.open(compacted)
  expect(manager.get('t', 0)!.epochs.entries).toEqual(epochs)
})
