import type { DiskFile } from '../../../../runtime/ports'
import { batch, Fixture } from './log-fixture'

const client = { leaderEpoch: 0, origin: 'client' } as const

/** Counts the syncs of `.log` files. */
function countSyncs(fixture: Fixture): { count: number } {
  const counter = { count: 0 }
  const { disk } = fixture
  const open = disk.open.bind(disk)
  disk.open = (path, mode): DiskFile => {
    const file = open(path, mode)
    const sync = file.sync.bind(file)
    file.sync = () => {
      if (path.endsWith('.log')) counter.count++
      return sync()
    }
    return file
  }
  return counter
}

test('who asks while a sync runs shares the next one', async () => {
  const fixture = new Fixture()
  const syncs = countSyncs(fixture)
  const manager = await fixture.open()
  const log = manager.getOrCreate('t', 0, { isNew: true })
  const waiting: Promise<void>[] = []
  for (let i = 0; i < 50; i++) {
    log.appendAsLeader(batch(1), client)
    waiting.push(log.flush())
  }
  await fixture.world.run(0.01)
  for (let i = 0; i < 50; i++) {
    log.appendAsLeader(batch(1), client)
    waiting.push(log.flush())
  }
  await fixture.run(Promise.all(waiting))
  expect(log.syncedOffset).toBe(100)
  expect(syncs.count).toBe(2)
  await fixture.run(log.flush())
  expect(syncs.count).toBe(2)
})

test('a flush covers the segments before, and what is synced survives a power cut', async () => {
  const fixture = new Fixture(7)
  const manager = await fixture.open({ 'segment.bytes': '200' })
  const log = manager.getOrCreate('t', 0, { isNew: true, topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' })
  for (let i = 0; i < 10; i++) log.appendAsLeader(batch(1), client)
  await fixture.run(log.flush())
  fixture.process.cutPower()
  const again = (await fixture.open({ 'segment.bytes': '200' })).get('t', 0)!
  expect(again.endOffset).toBe(10)
})

test('a failed sync takes the directory offline, and is not repeated', async () => {
  const fixture = new Fixture()
  const manager = await fixture.open()
  const failures: string[] = []
  manager.onDirFailure((dir, logs) => failures.push(`${dir} ${logs.map((log) => log.name).join()}`))
  const log = manager.getOrCreate('t', 0, { isNew: true })
  log.appendAsLeader(batch(1), client)
  await fixture.world.run(1)
  fixture.disk.faults.failBelow = { path: '/data/a', code: 'EIO' }
  await expect(fixture.run(log.flush())).rejects.toMatchObject({ name: 'StorageError', code: 56 })
  delete fixture.disk.faults.failBelow
  expect(failures).toEqual(['/data/a t-0'])
  expect(log.isOnline).toBe(false)
  await expect(log.flush()).rejects.toMatchObject({ code: 56 })
  expect(() => log.appendAsLeader(batch(1), client)).toThrow(expect.objectContaining({ code: 56 }))
  expect(() => log.read(0, 1, { upTo: 'logEnd', minOneMessage: true })).toThrow(expect.objectContaining({ code: 56 }))
})

test('whoever waits is told when the log goes', async () => {
  const fixture = new Fixture()
  const manager = await fixture.open()
  const log = manager.getOrCreate('t', 0, { isNew: true })
  log.appendAsLeader(batch(1), client)
  const flushing = log.flush()
  manager.delete('t', 0)
  await expect(fixture.run(flushing)).rejects.toMatchObject({ code: 56 })
  await fixture.settle(manager)
  expect(manager.isOnline('/data/a')).toBe(true)
})
