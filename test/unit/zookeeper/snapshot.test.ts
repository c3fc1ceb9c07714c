import fc from 'fast-check'
import { World } from '../../simulation/world/world'
import type { Process } from '../../simulation/world/world'
import { DataTree } from '../../../zookeeper/data-tree'
import { OpCode } from '../../../zookeeper/protocol'
import { freeze, listSnapshots, loadNewestSnapshot, writeSnapshot } from '../../../zookeeper/snapshot'
import type { SavedSession } from '../../../zookeeper/snapshot'

const DIRECTORY = '/zk/version-2'

function add(tree: DataTree, path: string, extra: { owner?: bigint; scheme?: string; data?: Buffer | null } = {}): void {
  const zxid = tree.lastZxid + 1
  const acl =
    extra.scheme === undefined ? [{ perms: 31, scheme: 'world', id: 'anyone' }] : [{ perms: 7, scheme: extra.scheme, id: 'x:y' }]
  const data = extra.data === undefined ? Buffer.from(path) : extra.data
  const header = { sessionId: extra.owner ?? 0n, cxid: 0, zxid, timeMs: 1000 + zxid }
  tree.apply(header, {
    type: OpCode.create,
    path,
    data,
    acl,
    ephemeral: extra.owner !== undefined,
    parentCversion: -1,
    ttlMs: -1,
  })
}

function picture(tree: DataTree): unknown[] {
  return [...tree.entries()].map(([path, node]) => ({
    path,
    data: node.data,
    acl: node.acl,
    stat: node.stat,
    children: [...node.children].sort(),
  }))
}

function start(): { world: World; process: Process } {
  const world = new World(1)
  const process = world.process('zk')
  process.env.disk.makeDirectory(DIRECTORY)
  return { world, process }
}

async function write(world: World, process: Process, tree: DataTree, sessions: SavedSession[] = []): Promise<void> {
  const { disk, clock } = process.env
  await world.settle(
    writeSnapshot(disk, clock, DIRECTORY, freeze(tree, sessions), () => false),
    10_000,
    'the snapshot is written',
  )
}

test('a snapshot is read as it was written', async () => {
  const node = fc.record({
    parent: fc.nat(),
    name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).map((name) => name.replaceAll('/', '_')),
    owner: fc.option(fc.bigInt({ min: 1n, max: 2n ** 56n }), { nil: undefined }),
    scheme: fc.option(fc.constantFrom('digest', 'ip', 'other'), { nil: undefined }),
    data: fc.option(fc.uint8Array({ maxLength: 30 })),
  })
  const sessions = fc.array(fc.record({ id: fc.bigInt({ min: 1n, max: 2n ** 62n }), timeoutMs: fc.nat() }), { maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(fc.array(node, { maxLength: 30 }), sessions, async (nodes, saved) => {
      const { world, process } = start()
      const tree = new DataTree()
      const paths = ['']
      for (const { parent, name, owner, scheme, data } of nodes) {
        const path = `${paths[parent % paths.length]}/${name}`
        add(tree, path, {
          ...(owner === undefined ? {} : { owner }),
          ...(scheme === undefined ? {} : { scheme }),
          data: data === null ? null : Buffer.from(data),
        })
        paths.push(path)
      }
      await write(world, process, tree, saved)
      const read = new DataTree()
      const loaded = loadNewestSnapshot(process.env.disk, DIRECTORY, read)
      expect(loaded).toEqual({ zxid: tree.lastZxid, sessions: saved, skipped: [] })
      expect(picture(read)).toEqual(picture(tree))
      expect([...read.ephemerals]).toEqual([...tree.ephemerals])
      expect(read.dataBytes).toBe(tree.dataBytes)
    }),
    { numRuns: 50 },
  )
})

test('it is the state of the moment at which it began', async () => {
  const { world, process } = start()
  const tree = new DataTree()
  for (let i = 0; i < 2000; i++) add(tree, `/n${i}`)
  const before = picture(tree)
  const { disk, clock } = process.env
  const writing = writeSnapshot(disk, clock, DIRECTORY, freeze(tree, []), () => false)
  for (let i = 0; i < 2000; i += 2)
    tree.apply({ sessionId: 0n, cxid: 0, zxid: tree.lastZxid + 1, timeMs: 0 }, { type: OpCode.delete, path: `/n${i}` })
  for (let i = 1; i < 2000; i += 2) {
    tree.apply(
      { sessionId: 0n, cxid: 0, zxid: tree.lastZxid + 1, timeMs: 0 },
      { type: OpCode.setData, path: `/n${i}`, data: null, version: 1 },
    )
  }
  add(tree, '/late')
  await world.settle(writing, 10_000, 'the snapshot is written')
  const read = new DataTree()
  expect(loadNewestSnapshot(disk, DIRECTORY, read)!.zxid).toBe(2000)
  expect(picture(read)).toEqual(before)
})

test('a snapshot that is not whole is passed over for an older one; if there is none, that is an error', async () => {
  const { world, process } = start()
  const { disk } = process.env
  const tree = new DataTree()
  add(tree, '/a')
  await write(world, process, tree)
  add(tree, '/b')
  await write(world, process, tree)
  expect(listSnapshots(disk, DIRECTORY).map(({ zxid }) => zxid)).toEqual([2, 1])
  const whole = disk.readFile(`${DIRECTORY}/snapshot.2`)
  const spoil = (name: string, bytes: Buffer): void => {
    const file = disk.open(`${DIRECTORY}/${name}`, 'create')
    file.write(bytes, 0)
    file.close()
  }
  for (let length = 0; length < whole.length; length += 7) {
    spoil('snapshot.2', whole.subarray(0, length))
    const loaded = loadNewestSnapshot(disk, DIRECTORY, new DataTree())
    expect(loaded).toMatchObject({ zxid: 1, skipped: [expect.stringContaining('snapshot.2')] })
  }
  // Behind the checksum stands only a slash.
  for (let at = 0; at < whole.length - 5; at += 11) {
    const bytes = Buffer.from(whole)
    bytes[at]! ^= 0x10
    spoil('snapshot.2', bytes)
    expect(loadNewestSnapshot(disk, DIRECTORY, new DataTree())!.zxid).toBe(1)
  }
  spoil('snapshot.1', Buffer.alloc(3))
  expect(() => loadNewestSnapshot(disk, DIRECTORY, new DataTree())).toThrow(/^No snapshot in .* is whole/)
})

test('one that is stopped leaves nothing', async () => {
  const { world, process } = start()
  const { disk, clock } = process.env
  const tree = new DataTree()
  for (let i = 0; i < 1000; i++) add(tree, `/n${i}`)
  const written = await world.settle(
    writeSnapshot(disk, clock, DIRECTORY, freeze(tree, []), () => true),
    10_000,
    'it gives up',
  )
  expect(written).toBe(false)
  expect(disk.list(DIRECTORY)).toEqual([])
})
