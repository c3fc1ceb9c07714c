import { ErrorCode } from '../../../../protocol/errors'
import { batch, contentOf, Fixture } from './log-fixture'

const ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
const OTHER_ID = 'AAAAAAAAAAAAAAAAAAAAAg'
const client = { leaderEpoch: 0, origin: 'client' } as const
const two = { dirs: ['/data/a', '/data/b'] }

const first = { topic: 't', partition: 0, topicId: ID }
const second = { topic: 't', partition: 1, topicId: ID }

/** Names of folders; those that are to be deleted without their random part. */
function folders(fixture: Fixture, dir = '/data/a'): string[] {
  return fixture.disk.list(dir)
    .filter((name) => fixture.disk.stat(`${dir}/${name}`)!.isDirectory)
    .map((name) => name.replace(/\.[0-9a-f]{32}-/, '.*-'))
}

test('a log is put where its folder was made, whole, and is like any other', async () => {
  const fixture = new Fixture()
  const manager = await fixture.open()
  const removeUnused = await fixture.run(manager.prepare([first, second]))
  expect(folders(fixture)).toEqual(['t-0.*-delete', 't-1.*-delete'])
  const log = manager.getOrCreate('t', 0, { topicId: ID, isNew: true })
  manager.getOrCreate('t', 1, { topicId: ID, isNew: true })
  removeUnused()
  expect(folders(fixture)).toEqual(['t-0', 't-1'])
  expect(fixture.disk.list('/data/a/t-0')).toEqual(['00000000000000000000.log', 'partition.metadata'])
  expect(log.topicId).toBe(ID)
  log.appendAsLeader(batch(3), client)
  await fixture.settle(manager)
  expect(log.endOffset).toBe(3)
  const content = contentOf(log)
  await fixture.run(manager.shutdown())

  const again = await fixture.open()
  expect(contentOf(again.get('t', 0)!)).toEqual(content)
  expect(again.get('t', 1)!.topicId).toBe(ID)
  expect([...again.all()].length).toBe(2)
})

test('the files are those of a log that was created at once', async () => {
  const [ahead, at] = [new Fixture(), new Fixture()]
  const manager = await ahead.open()
  await ahead.run(manager.prepare([first, { topic: 'old', partition: 0, topicId: undefined }]))
  const other = await at.open()
  for (const [fixture, logs] of [[ahead, manager], [at, other]] as const) {
    logs.getOrCreate('t', 0, { topicId: ID, isNew: true })
    logs.getOrCreate('old', 0, { isNew: true })
    await fixture.settle(logs)
  }
  for (const path of ['/data/a/t-0', '/data/a/old-0']) {
    expect(ahead.disk.list(path)).toEqual(at.disk.list(path))
    for (const name of ahead.disk.list(path)) {
      expect(ahead.disk.readFile(`${path}/${name}`)).toEqual(at.disk.readFile(`${path}/${name}`))
    }
  }
})

test('what nobody took is removed', async () => {
  const fixture = new Fixture()
  const manager = await fixture.open()
  const removeUnused = await fixture.run(manager.prepare([first, second]))
  manager.getOrCreate('t', 1, { topicId: ID, isNew: true })
  removeUnused()
  await fixture.settle(manager)
  expect(folders(fixture)).toEqual(['t-1'])
  // And is not found by a later request.
  expect(manager.getOrCreate('t', 0, { topicId: ID, isNew: true }).topicId).toBe(ID)
  expect(folders(fixture)).toEqual(['t-0', 't-1'])
})

test('two requests for one log make it once, and the later one does not take it away from the log', async () => {
  const fixture = new Fixture()
  const manager = await fixture.open()
  const [one, other] = await fixture.run(Promise.all([manager.prepare([first]), manager.prepare([first])]))
  const third = await fixture.run(manager.prepare([first]))
  await fixture.settle(manager)
  expect(folders(fixture)).toEqual(['t-0.*-delete'])
  const log = manager.getOrCreate('t', 0, { topicId: ID, isNew: true })
  for (const removeUnused of [third, other, one]) removeUnused()
  log.appendAsLeader(batch(1), client)
  await fixture.settle(manager)
  expect(folders(fixture)).toEqual(['t-0'])
  expect(log.isOnline).toBe(true)
})

test('a folder for another topic of that name is not taken', async () => {
  const fixture = new Fixture()
  const manager = await fixture.open()
  await fixture.run(manager.prepare([first]))
  expect(manager.getOrCreate('t', 0, { topicId: OTHER_ID, isNew: true }).topicId).toBe(OTHER_ID)
  await fixture.settle(manager)
  expect(folders(fixture)).toEqual(['t-0'])
})

test('directories are filled evenly, and a wish that comes later is heeded', async () => {
  const fixture = new Fixture()
  const manager = await fixture.open({}, two)
  const wanted = Array.from({ length: 6 }, (_, partition) => ({ topic: 't', partition, topicId: ID }))
  const removeUnused = await fixture.run(manager.prepare(wanted))
  manager.preferDirectory('t', 0, '/data/b')
  manager.preferDirectory('t', 1, '/data/b')
  for (const { partition } of wanted) manager.getOrCreate('t', partition, { topicId: ID, isNew: true })
  removeUnused()
  await fixture.settle(manager)
  expect(folders(fixture, '/data/b')).toEqual(expect.arrayContaining(['t-0', 't-1']))
  expect([...folders(fixture), ...folders(fixture, '/data/b')].sort()).toEqual(wanted.map(({ partition }) => `t-${partition}`))
  const unasked = [...manager.all()].filter(({ partition }) => partition > 1).map(({ dir }) => dir)
  expect(unasked.filter((dir) => dir === '/data/a').length).toBe(2)
})

test('one that a crash left behind is removed by the next start', async () => {
  const fixture = new Fixture()
  const manager = await fixture.open()
  await fixture.run(manager.prepare([first]))
  fixture.kill()
  const again = await fixture.open()
  expect([...again.all()]).toEqual([])
  await fixture.world.run(61_000)
  expect(folders(fixture)).toEqual([])
})

test('a disk that refuses is told when the log is created', async () => {
  const fixture = new Fixture()
  const manager = await fixture.open({}, two)
  fixture.disk.faults.failBelow = { path: '/data/a', code: 'ENOSPC' }
  const removeUnused = await fixture.run(manager.prepare([first]))
  expect(manager.onlineDirs).toEqual(two.dirs)
  expect(() => manager.getOrCreate('t', 0, { topicId: ID, isNew: true, dir: '/data/a' }))
    .toThrow(expect.objectContaining({ code: ErrorCode.KAFKA_STORAGE_ERROR }))
  expect(manager.onlineDirs).toEqual(['/data/b'])
  expect(manager.getOrCreate('t', 0, { topicId: ID, isNew: true }).dir).toBe('/data/b')
  removeUnused()
})

test('a directory that fails meanwhile takes its folders with it', async () => {
  const fixture = new Fixture()
  const manager = await fixture.open({}, two)
  const log = manager.getOrCreate('other', 0, { isNew: true, dir: '/data/a' })
  const removeUnused = await fixture.run(manager.prepare([first, second]))
  fixture.disk.faults.failBelow = { path: '/data/a', code: 'EIO' }
  log.appendAsLeader(batch(1), client)
  await fixture.world.run(1)
  expect(manager.onlineDirs).toEqual(['/data/b'])
  for (const partition of [0, 1]) expect(manager.getOrCreate('t', partition, { topicId: ID, isNew: true }).dir).toBe('/data/b')
  removeUnused()
  await fixture.settle(manager)
  expect(folders(fixture, '/data/b')).toEqual(['t-0', 't-1'])
})

test('a stop lets go of them', async () => {
  const fixture = new Fixture()
  const manager = await fixture.open()
  const removeUnused = await fixture.run(manager.prepare([first]))
  const late = manager.prepare([second])
  await fixture.run(manager.shutdown())
  removeUnused()
  await fixture.run(late).then((removeLate) => removeLate())
  expect([...(await fixture.open()).all()]).toEqual([])
})
