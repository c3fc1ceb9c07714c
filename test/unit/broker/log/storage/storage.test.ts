import fc from 'fast-check'
import { BufferPool } from '../../../../../broker/log/storage/buffer-pool'
import { Background } from '../../../../../broker/log/storage/background'
import { lockDirectory, unlockDirectory } from '../../../../../broker/log/storage/directory-lock'
import { FileCache } from '../../../../../broker/log/storage/file-cache'
import {
  DELETE_DIR_SUFFIX, fileName, FUTURE_DIR_SUFFIX, markedDirectoryName, offsetOfName, parsePartitionDirectory,
} from '../../../../../broker/log/storage/file-names'
import { Staging } from '../../../../../broker/log/segment/staging'
import type { StagedPiece } from '../../../../../broker/log/segment/staging'
import { Fixture } from '../log-fixture'

describe('file cache', () => {
  test('never more open than it may be, the least recently used goes first', () => {
    const fixture = new Fixture()
    const cache = new FileCache(fixture.disk, 3)
    const files = [0, 1, 2].map((i) => cache.create(`/data/${i}`))
    files[0]!.readable()
    const fourth = cache.create('/data/3')
    expect(cache.size).toBe(3)
    let opened = 0
    const open = fixture.disk.open.bind(fixture.disk)
    fixture.disk.open = (path, mode) => {
      opened++
      return open(path, mode)
    }
    files[0]!.readable()
    files[2]!.readable()
    fourth.readable()
    expect(opened).toBe(0)
    files[1]!.readable()
    expect([opened, cache.size]).toEqual([1, 3])
  })

  test('what is evicted is opened again, for writing as well', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9), fc.boolean())), fc.integer({ min: 1, max: 4 }), (uses, capacity) => {
        const fixture = new Fixture()
        const cache = new FileCache(fixture.disk, capacity)
        const files = Array.from({ length: 10 }, (_, i) => cache.create(`/data/${i}`))
        const lengths = files.map(() => 0)
        for (const [index, isWrite] of uses) {
          if (isWrite) files[index]!.writable().write(Buffer.from('x'), lengths[index]!++)
          else expect(files[index]!.readable().size()).toBe(lengths[index])
          expect(cache.size).toBeLessThanOrEqual(capacity)
        }
      }),
    )
  })

  test('a file that is being synced is not closed under it', async () => {
    const fixture = new Fixture()
    const cache = new FileCache(fixture.disk, 1)
    const file = cache.create('/data/x')
    const syncing = file.sync()
    cache.create('/data/y')
    file.close()
    cache.create('/data/z')
    await fixture.run(syncing)
    expect(cache.size).toBe(1)
  })

  test('a file that is gone is not created again by mistake', () => {
    const fixture = new Fixture()
    const cache = new FileCache(fixture.disk, 1)
    const file = cache.create('/data/x')
    file.close()
    fixture.disk.remove('/data/x')
    expect(() => file.writable()).toThrow(expect.objectContaining({ code: 'ENOENT' }))
    expect(() => file.readable()).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  })
})

test('pooled buffers are large enough, used again, and not hoarded', () => {
  const pool = new BufferPool(1 << 20)
  for (const bytes of [0, 1, 4096, 4097, 65536, 65537, 1 << 20, (1 << 22) + 1]) {
    const buffer = pool.take(bytes)
    expect(buffer.length).toBeGreaterThanOrEqual(bytes)
    pool.give(buffer)
    if (bytes <= 1 << 19) expect(pool.take(bytes)).toBe(buffer)
  }
  const many = Array.from({ length: 50 }, () => pool.take(65536))
  for (const buffer of many) pool.give(buffer)
  const again = new Set(Array.from({ length: 50 }, () => pool.take(65536)))
  expect(many.filter((buffer) => again.has(buffer)).length).toBeLessThanOrEqual(16)
})

test('staged pieces of one log are joined where they touch', () => {
  const staging = new Staging(new BufferPool())
  const text = ({ slab, start, end }: StagedPiece) => slab.subarray(start, end).toString()
  const first = staging.copy(Buffer.from('one '), undefined)
  const joined = staging.copy(Buffer.from('two '), first)
  expect([joined === first, text(joined)]).toEqual([true, 'one two '])
  const other = staging.copy(Buffer.from('other'), undefined)
  const apart = staging.copy(Buffer.from('three'), joined)
  expect([text(joined), text(apart)]).toEqual(['one two ', 'three'])
  expect(staging.bytes).toBe(18)
  staging.release([joined, apart])
  staging.release([other])
  expect(staging.bytes).toBe(0)
  const large = Array.from({ length: 5 }, () => staging.copy(Buffer.alloc(100_000, 1), undefined))
  for (const { slab, start, end } of large) expect(slab.subarray(start, end).every((byte) => byte === 1)).toBe(true)
  staging.release(large)
  expect(staging.bytes).toBe(0)
})

describe('background', () => {
  test('one at a time per key, the newest task of those that wait', async () => {
    const background = new Background()
    const ran: string[] = []
    const ends: (() => void)[] = []
    const task = (name: string) => () => {
      ran.push(name)
      return new Promise<void>((resolve) => ends.push(resolve))
    }
    background.schedule('a', task('a1'))
    background.schedule('a', task('a2'))
    background.schedule('a', task('a3'))
    background.schedule('b', task('b1'))
    expect(ran).toEqual(['a1', 'b1'])
    let drained = false
    void background.drained().then(() => (drained = true))
    ends.shift()!()
    await new Promise(setImmediate)
    expect(ran).toEqual(['a1', 'b1', 'a3'])
    expect(drained).toBe(false)
    for (const end of ends) end()
    await background.drained()
    await new Promise(setImmediate)
    expect(drained).toBe(true)
  })
})

describe('names', () => {
  test('of segments', () => {
    expect(fileName(42, '.log')).toBe('00000000000000000042.log')
    expect(offsetOfName('00000000000000000042.log.swap')).toBe(42)
    for (const name of ['leader-epoch-checkpoint', 'x42.log', '.log', 'partition.metadata']) expect(offsetOfName(name)).toBe(-1)
  })

  test.each([
    ['a-0', { topic: 'a', partition: 0, state: 'current' }],
    ['a-b-12', { topic: 'a-b', partition: 12, state: 'current' }],
    ['a.b-3', { topic: 'a.b', partition: 3, state: 'current' }],
    ['a-1.0123456789abcdef0123456789abcdef-delete', { topic: 'a', partition: 1, state: 'delete' }],
    ['x.y-z-7.ab-future', { topic: 'x.y-z', partition: 7, state: 'future' }],
    ['a-1.ab-stray', { topic: 'a', partition: 1, state: 'stray' }],
    ['topic-delete-5', { topic: 'topic-delete', partition: 5, state: 'current' }],
    ['a', undefined], ['a-', undefined], ['-0', undefined], ['a-x', undefined], ['a-1-delete', undefined],
    ['lost+found', undefined],
  ])('of a partition: %s', (name, expected) => {
    expect(parsePartitionDirectory(name)).toEqual(expected)
  })

  test('a name that is too long is cut, and can be read again', () => {
    const { random } = new Fixture().process.env
    const topic = 't'.repeat(249)
    const marked = markedDirectoryName(topic, 17, DELETE_DIR_SUFFIX, random)
    expect(marked.length).toBe(255)
    expect(parsePartitionDirectory(marked)).toMatchObject({ partition: 17, state: 'delete' })
    expect(parsePartitionDirectory(markedDirectoryName('t', 17, FUTURE_DIR_SUFFIX, random)))
      .toEqual({ topic: 't', partition: 17, state: 'future' })
  })
})

describe('lock', () => {
  function world(): Fixture {
    const fixture = new Fixture()
    fixture.disk.makeDirectory('/data/a')
    fixture.disk.makeDirectory('/proc')
    return fixture
  }
  function process(fixture: Fixture, id: number, started: number): void {
    fixture.disk.makeDirectory(`/proc/${id}`)
    const words = Array.from({ length: 40 }, (_, i) => (i === 19 ? started : 0)).join(' ')
    fixture.disk.open(`/proc/${id}/stat`, 'create').write(Buffer.from(`${id} (no de) ${words}`), 0)
  }

  test('a living process that holds it is respected, a dead one is not', () => {
    const fixture = world()
    process(fixture, 50, 777)
    fixture.disk.open('/data/a/.lock', 'create').write(Buffer.from('50 777\n'), 0)
    expect(() => lockDirectory(fixture.disk, '/data/a', 60)).toThrow('Failed to acquire lock')
    fixture.disk.remove('/proc/50/stat')
    lockDirectory(fixture.disk, '/data/a', 60)
    unlockDirectory(fixture.disk, '/data/a')
    expect(fixture.disk.exists('/data/a/.lock')).toBe(false)
  })

  test('a process id that was given again is another process', () => {
    const fixture = world()
    process(fixture, 50, 888)
    fixture.disk.open('/data/a/.lock', 'create').write(Buffer.from('50 777\n'), 0)
    lockDirectory(fixture.disk, '/data/a', 60)
  })

  test('a running Apache broker is seen by its record lock', () => {
    const fixture = world()
    fixture.disk.open('/data/a/.lock', 'create').close()
    const { inode } = fixture.disk.stat('/data/a/.lock')!
    const locks = (line: string) => {
      const text = `1: FLOCK  ADVISORY  WRITE 1 00:1:1 0 EOF\n${line}\n`
      fixture.disk.open('/proc/locks', 'create').write(Buffer.from(text), 0)
    }
    locks(`2: POSIX  ADVISORY  WRITE 991 08:01:${inode} 0 EOF`)
    expect(() => lockDirectory(fixture.disk, '/data/a', 60)).toThrow('Failed to acquire lock')
    locks(`2: POSIX  ADVISORY  WRITE 991 08:01:${inode}9 0 EOF`)
    lockDirectory(fixture.disk, '/data/a', 60)
  })
})
