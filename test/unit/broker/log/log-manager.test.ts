import { ErrorCode } from '../../../../protocol/errors'
import { topicConfig } from '../../../../protocol/rules/topic-config'
import { batch, contentOf, Fixture } from './log-fixture'

const client = { leaderEpoch: 0, origin: 'client' } as const
const ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
const OTHER_ID = 'AAAAAAAAAAAAAAAAAAAAAg'
const two = { dirs: ['/data/a', '/data/b'] }

describe('directories', () => {
  test('a new log goes where the fewest are, or where it was told', async () => {
    const fixture = new Fixture()
    const manager = await fixture.open({}, two)
    expect(manager.onlineDirs).toEqual(two.dirs)
    for (let i = 0; i < 4; i++) manager.getOrCreate('t', i, { isNew: true })
    expect([...manager.all()].map((log) => log.dir)).toEqual(['/data/a', '/data/b', '/data/a', '/data/b'])
    manager.preferDirectory('t', 4, '/data/b')
    expect(manager.getOrCreate('t', 4).dir).toBe('/data/b')
    expect(manager.getOrCreate('t', 5, { dir: '/data/b' }).dir).toBe('/data/b')
    expect(() => manager.preferDirectory('t', 6, '/data/c'))
      .toThrow(expect.objectContaining({ code: ErrorCode.LOG_DIR_NOT_FOUND }))
    expect(() => manager.getOrCreate('t', 6, { dir: '/data/c' }))
      .toThrow(expect.objectContaining({ code: ErrorCode.LOG_DIR_NOT_FOUND }))
  })

  test('one belongs to one broker at a time', async () => {
    const fixture = new Fixture()
    const manager = await fixture.open()
    await expect(fixture.open()).rejects.toThrow(
      'Failed to acquire lock on file .lock in /data/a. A Kafka instance in another process or thread is using this directory.',
    )
    await fixture.run(manager.shutdown())
    await fixture.run((await fixture.open()).shutdown())
  })

  test('a folder that no log has refuses the start', async () => {
    const fixture = new Fixture()
    fixture.disk.makeDirectory('/data/a/lost+found')
    await expect(fixture.open()).rejects.toMatchObject({ code: 'LOG_FORMAT' })
    await expect(fixture.open()).rejects.toMatchObject({ code: 'LOG_FORMAT' })
  })

  test('the same log in two directories refuses the start', async () => {
    const fixture = new Fixture()
    fixture.disk.makeDirectory('/data/a/t-0')
    fixture.disk.makeDirectory('/data/b/t-0')
    await expect(fixture.open({}, two)).rejects.toThrow('Duplicate log directories for t-0')
  })

  test('one that fails goes offline with its logs; the others go on', async () => {
    const fixture = new Fixture()
    const manager = await fixture.open({}, two)
    const failures: [string, string[], boolean[]][] = []
    manager.onDirFailure((dir, logs) => failures.push([dir, logs.map((log) => log.name), logs.map((log) => log.isOnline)]))
    const [first, second] = [0, 1].map((partition) => manager.getOrCreate('t', partition, { isNew: true }))
    fixture.disk.faults.failBelow = { path: '/data/a', code: 'ENOSPC' }
    expect(first!.appendAsLeader(batch(1), client).firstOffset).toBe(0)
    await fixture.world.run(1)
    expect(failures).toEqual([['/data/a', ['t-0'], [false]]])
    expect(manager.onlineDirs).toEqual(['/data/b'])
    expect(manager.get('t', 0)).toBeUndefined()
    expect(second!.appendAsLeader(batch(1), client).firstOffset).toBe(0)
    expect(() => manager.getOrCreate('t', 0)).toThrow(expect.objectContaining({ code: ErrorCode.KAFKA_STORAGE_ERROR }))
    expect(() => manager.delete('t', 0)).toThrow(expect.objectContaining({ code: ErrorCode.KAFKA_STORAGE_ERROR }))
    expect(manager.getOrCreate('t', 2, { isNew: true }).dir).toBe('/data/b')
    await fixture.run(manager.shutdown())
    expect(fixture.disk.exists('/data/a/.kafka_cleanshutdown')).toBe(false)
    expect(fixture.disk.exists('/data/b/.kafka_cleanshutdown')).toBe(true)
  })

  test('a large batch that cannot be written is not there, and its directory fails at once', async () => {
    const fixture = new Fixture()
    const manager = await fixture.open({}, two)
    const log = manager.getOrCreate('t', 0, { isNew: true })
    fixture.disk.faults.failBelow = { path: '/data/a', code: 'EIO' }
    expect(() => log.appendAsLeader(batch(1, { valueBytes: 50_000 }), client))
      .toThrow(expect.objectContaining({ code: ErrorCode.KAFKA_STORAGE_ERROR }))
    expect(log.endOffset).toBe(0)
    expect(log.isOnline).toBe(false)
  })

  test('a start without any that works is refused', async () => {
    const fixture = new Fixture()
    fixture.disk.faults.failBelow = { path: '/data', code: 'EROFS' }
    await expect(fixture.open({}, two)).rejects.toThrow(
      /^None of the log directories can be used: \/data\/a \(.*EROFS.*\), \/data\/b \(.*EROFS.*\)$/,
    )
  })

  test('a start with one that does not work is not', async () => {
    const fixture = new Fixture()
    fixture.disk.faults.failBelow = { path: '/data/a', code: 'EACCES' }
    const manager = await fixture.open({}, two)
    expect(manager.onlineDirs).toEqual(['/data/b'])
  })
})

describe('logs', () => {
  test('a topic id is kept, and another is refused', async () => {
    const fixture = new Fixture()
    const manager = await fixture.open()
    const log = manager.getOrCreate('t', 0, { isNew: true })
    expect(log.topicId).toBeUndefined()
    manager.getOrCreate('t', 0, { topicId: ID })
    expect(fixture.disk.readFile('/data/a/t-0/partition.metadata').toString()).toBe(`version: 0\ntopic_id: ${ID}`)
    expect(() => manager.getOrCreate('t', 0, { topicId: OTHER_ID }))
      .toThrow(expect.objectContaining({ code: ErrorCode.INCONSISTENT_TOPIC_ID }))
    await fixture.run(manager.shutdown())
    expect((await fixture.open()).get('t', 0)!.topicId).toBe(ID)
  })

  test('a deleted one is renamed, then removed; also if the broker stops meanwhile', async () => {
    const fixture = new Fixture()
    let manager = await fixture.open({ 'file.delete.delay.ms': '1000' })
    manager.getOrCreate('t', 0, { isNew: true }).appendAsLeader(batch(1), client)
    manager.getOrCreate('t', 1, { isNew: true })
    manager.delete('t', 0)
    manager.delete('t', 7)
    const folders = () => fixture.disk.list('/data/a').filter((name) => name.startsWith('t-'))
    expect(folders()).toEqual([expect.stringMatching(/^t-0\.[0-9a-f]{32}-delete$/), 't-1'])
    expect(manager.get('t', 0)).toBeUndefined()
    expect(manager.getOrCreate('t', 0, { isNew: true }).endOffset).toBe(0)
    await fixture.settle(manager)
    await fixture.run(manager.shutdown())
    expect(folders()).toHaveLength(3)
    manager = await fixture.open({ 'file.delete.delay.ms': '1000' })
    await fixture.world.run(900)
    expect(folders()).toHaveLength(3)
    await fixture.world.run(300)
    expect(folders()).toEqual(['t-0', 't-1'])
  })

  test('a stray one is put aside and left alone', async () => {
    const fixture = new Fixture()
    const manager = await fixture.open({ 'file.delete.delay.ms': '10' })
    manager.getOrCreate('t', 0, { isNew: true })
    manager.delete('t', 0, { stray: true })
    await fixture.world.run(1000)
    await fixture.run(manager.shutdown())
    const again = await fixture.open()
    expect(fixture.disk.list('/data/a').filter((name) => name.startsWith('t-')))
      .toEqual([expect.stringMatching(/^t-0\.[0-9a-f]{32}-stray$/)])
    expect([...again.all()]).toEqual([])
  })

  test('a folder in the place of a new one is put aside', async () => {
    const fixture = new Fixture()
    const manager = await fixture.open()
    fixture.disk.makeDirectory('/data/a/t-0')
    fixture.disk.open('/data/a/t-0/00000000000000000000.log', 'create').write(batch(3), 0)
    expect(manager.getOrCreate('t', 0, { isNew: true }).size).toBe(0)
    expect(fixture.disk.list('/data/a').some((name) => name.endsWith('-stray'))).toBe(true)
  })

  test('a future one takes the place of the current one', async () => {
    const fixture = new Fixture()
    let manager = await fixture.open({ 'file.delete.delay.ms': '10' }, two)
    const log = manager.getOrCreate('t', 0, { isNew: true, topicId: ID, dir: '/data/a' })
    for (let i = 0; i < 3; i++) log.appendAsLeader(batch(2), { leaderEpoch: i, origin: 'client' })
    log.updateHighWatermark(4)
    const future = manager.getOrCreate('t', 0, { topicId: ID, dir: '/data/b', isFuture: true })
    expect([future.isFuture, manager.future('t', 0), manager.get('t', 0)]).toEqual([true, future, log])
    future.appendAsFollower(contentOf(log).subarray(0, 2 * batch(2).length))
    await fixture.settle(manager)
    await fixture.run(manager.shutdown())
    manager = await fixture.open({ 'file.delete.delay.ms': '10' }, two)
    const [current, resumed] = [manager.get('t', 0)!, manager.future('t', 0)!]
    expect([current.endOffset, resumed.endOffset, resumed.dir]).toEqual([6, 4, '/data/b'])
    resumed.appendAsFollower(contentOf(current).subarray(2 * batch(2).length))
    manager.replaceCurrentWithFuture('t', 0)
    expect([manager.get('t', 0), manager.future('t', 0), resumed.isFuture, current.isOnline])
      .toEqual([resumed, undefined, false, false])
    expect([resumed.highWatermark, resumed.path]).toEqual([4, '/data/b/t-0'])
    expect(resumed.appendAsLeader(batch(1), client).firstOffset).toBe(6)
    await fixture.world.run(100)
    expect(fixture.disk.list('/data/a').filter((name) => name.startsWith('t-'))).toEqual([])
    await fixture.run(manager.shutdown())
    manager = await fixture.open({}, two)
    expect([manager.get('t', 0)!.endOffset, manager.get('t', 0)!.dir, manager.get('t', 0)!.highWatermark])
      .toEqual([7, '/data/b', 4])
    expect(fixture.logger.warnings).toEqual([])
  })

  test('high watermarks are written every few seconds, and found again', async () => {
    const fixture = new Fixture()
    const manager = await fixture.open({}, { highWatermarkCheckpointIntervalMs: 100 })
    const log = manager.getOrCreate('t', 0, { isNew: true })
    log.appendAsLeader(batch(5), client)
    log.updateHighWatermark(3)
    await fixture.world.run(150)
    fixture.kill()
    expect(fixture.disk.readFile('/data/a/replication-offset-checkpoint').toString()).toBe('0\n1\nt 0 3\n')
    expect((await fixture.open()).get('t', 0)!.highWatermark).toBe(3)
  })

  test('configuration: a topic its own, others the defaults', async () => {
    const fixture = new Fixture()
    const own = new Map([['own', topicConfig({ 'segment.bytes': '1000' })]])
    const manager = await fixture.open({}, { topicConfigs: (topic) => own.get(topic) })
    const [log, other] = ['own', 'other'].map((topic) => manager.getOrCreate(topic, 0, { isNew: true }))
    expect([log!.config.segmentBytes, other!.config.segmentBytes]).toEqual([1000, 2 ** 30])
    manager.reconfigureDefaults(topicConfig({ 'segment.bytes': '5000' }))
    expect([log!.config.segmentBytes, other!.config.segmentBytes]).toEqual([1000, 5000])
    manager.updateTopicConfig('own', topicConfig({ 'segment.bytes': '7000' }))
    expect([log!.config.segmentBytes, other!.config.segmentBytes]).toEqual([7000, 5000])
  })

  test('idle producers are forgotten by the clock', async () => {
    const fixture = new Fixture()
    const manager = await fixture.open({}, { producerIdExpirationMs: 1000, producerIdExpirationCheckIntervalMs: 100 })
    const log = manager.getOrCreate('t', 0, { isNew: true })
    const timestamp = fixture.clock.wallMs()
    log.appendAsLeader(batch(1, { producerId: 1, producerEpoch: 0, baseSequence: 0, timestamp }), client)
    await fixture.world.run(950)
    expect(log.producers).toHaveLength(1)
    await fixture.world.run(200)
    expect(log.producers).toHaveLength(0)
  })

  test('an unclean stop writes no marker', async () => {
    const fixture = new Fixture()
    const manager = await fixture.open()
    manager.getOrCreate('t', 0, { isNew: true })
    await fixture.run(manager.shutdown(false))
    expect(fixture.disk.exists('/data/a/.kafka_cleanshutdown')).toBe(false)
    expect(fixture.disk.exists('/data/a/.lock')).toBe(false)
  })
})

test.each([0, 1, 20])('a log made anew begins where it begins, not where a checkpoint says that its namesake did (%i ms later)', async (afterMs) => {
  const fixture = new Fixture()
  let manager = await fixture.open()
  const old = manager.getOrCreate('t', 0, { isNew: true })
  for (let i = 0; i < 10; i++) old.appendAsLeader(batch(2), client)
  old.updateHighWatermark(20)
  old.incrementLogStartOffset(15)
  await fixture.settle(manager)
  manager.checkpointStartOffsets()
  manager.checkpointRecoveryPoints()
  await fixture.settle(manager)
  // Syncs of other logs take all the turns in the background.
  for (let i = 0; i < 4; i++) manager.context.background.schedule(`sync ${i}`, () => new Promise<void>(() => {}))
  manager.delete('t', 0)
  const log = manager.getOrCreate('t', 0, { isNew: true })
  log.appendAsLeader(batch(3), client)
  await fixture.run(log.flush())
  await fixture.world.run(afterMs)
  fixture.kill()
  manager = await fixture.open()
  expect([manager.get('t', 0)!.startOffset, manager.get('t', 0)!.endOffset]).toEqual([0, 3])
})
