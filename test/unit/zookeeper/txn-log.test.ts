import fc from 'fast-check'
import { World } from '../../simulation/world/world'
import type { Process } from '../../simulation/world/world'
import { JuteWriter } from '../../../zookeeper/jute'
import { OpCode } from '../../../zookeeper/protocol'
import { StorageError } from '../../../zookeeper/storage-error'
import { readTxn, writeTxn } from '../../../zookeeper/txn'
import type { Txn, TxnHeader } from '../../../zookeeper/txn'
import { TxnLog, listLogs, replayLogs } from '../../../zookeeper/txn-log'

const DIRECTORY = '/zk/version-2'

const path = fc.string({ unit: 'grapheme', maxLength: 20 }).map((name) => `/${name}`)
const data = fc.option(fc.uint8Array({ maxLength: 50 })).map((bytes) => (bytes === null ? null : Buffer.from(bytes)))
const acl = fc.array(fc.record({ perms: fc.nat({ max: 31 }), scheme: fc.option(fc.string()), id: fc.option(fc.string()) }), {
  maxLength: 3,
})
const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })

const singleTxn: fc.Arbitrary<Txn> = fc.oneof(
  fc.record({
    type: fc.constantFrom(OpCode.create, OpCode.create2),
    path,
    data,
    acl,
    ephemeral: fc.boolean(),
    parentCversion: int,
    ttlMs: fc.constant(-1),
  }),
  fc.record({
    type: fc.constant(OpCode.createContainer),
    path,
    data,
    acl,
    ephemeral: fc.constant(false),
    parentCversion: int,
    ttlMs: fc.constant(-1),
  }),
  fc.record({
    type: fc.constant(OpCode.createTTL),
    path,
    data,
    acl,
    ephemeral: fc.constant(false),
    parentCversion: int,
    ttlMs: fc.integer({ min: 1, max: 2 ** 40 - 1 }),
  }),
  fc.record({ type: fc.constantFrom(OpCode.delete, OpCode.deleteContainer), path }),
  fc.record({ type: fc.constant(OpCode.setData), path, data, version: int }),
  fc.record({ type: fc.constant(OpCode.setACL), path, acl, version: int }),
  fc.record({ type: fc.constant(OpCode.check), path, version: int }),
  fc.record({ type: fc.constant(OpCode.createSession), timeoutMs: int }),
  fc.record({ type: fc.constant(OpCode.closeSession), paths: fc.array(path, { maxLength: 3 }) }),
  fc.record({ type: fc.constant(OpCode.error), error: int }),
)
const anyTxn: fc.Arbitrary<Txn> = fc.oneof(
  singleTxn,
  fc.record({ type: fc.constant(OpCode.multi), ops: fc.array(singleTxn, { maxLength: 4 }) }),
)

const header: fc.Arbitrary<TxnHeader> = fc.record({
  sessionId: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  cxid: int,
  zxid: fc.maxSafeNat(),
  timeMs: fc.maxSafeNat(),
})

test('every transaction is read as it was written', () => {
  fc.assert(
    fc.property(header, anyTxn, (head, txn) => {
      const writer = new JuteWriter(1)
      writeTxn(writer, head, txn)
      expect(readTxn(writer.take())).toEqual({ header: head, txn })
    }),
  )
})

function at(zxid: number): TxnHeader {
  return { sessionId: 1n, cxid: 0, zxid, timeMs: 0 }
}

interface OpenLog {
  log: TxnLog
  durable: number[]
  failures: Error[]
}

function openLog(process: Process, lastZxid = 0, forceSync = true): OpenLog {
  process.env.disk.makeDirectory(DIRECTORY)
  const opened: OpenLog = { log: undefined as unknown as TxnLog, durable: [], failures: [] }
  opened.log = new TxnLog(process.env.disk, process.env.clock, DIRECTORY, lastZxid, {
    forceSync,
    onDurable: (zxid) => void opened.durable.push(zxid),
    onFailure: (error) => void opened.failures.push(error),
  })
  return opened
}

function replay(process: Process, afterZxid = 0): { zxids: number[]; tornBytes: number } {
  const zxids: number[] = []
  const { tornBytes } = replayLogs(process.env.disk, DIRECTORY, afterZxid, ({ zxid }) => zxids.push(zxid))
  return { zxids, tornBytes }
}

const error: Txn = { type: OpCode.error, error: -101 }

/** A log of three files: 1 to 3, 4 to 6, 7 to 9. */
async function threeFiles(world: World): Promise<Process> {
  const process = world.process('zk')
  const { log } = openLog(process)
  for (let zxid = 1; zxid <= 9; zxid++) {
    log.append(at(zxid), error)
    if (zxid % 3 === 0) {
      log.roll()
      await world.settle(log.settled(), 1000, 'the log is on the disk')
    }
  }
  await world.settle(log.close(), 1000, 'the log closes')
  return process
}

test('entries of one turn are one write, and what comes during a sync waits for the next one', async () => {
  const world = new World(1)
  const { log, durable } = openLog(world.process('zk'))
  for (let zxid = 1; zxid <= 5; zxid++) log.append(at(zxid), error)
  log.flush()
  for (let zxid = 6; zxid <= 9; zxid++) {
    log.append(at(zxid), error)
    log.flush()
  }
  expect(log.durableZxid).toBe(0)
  await world.settle(log.settled(), 1000, 'the log is on the disk')
  expect(durable).toEqual([5, 9])
})

test('without forceSync an entry counts as soon as it is written', async () => {
  const world = new World(1)
  const { log, durable } = openLog(world.process('zk'), 0, false)
  log.append(at(1), error)
  log.flush()
  expect(durable).toEqual([1])
  await world.settle(log.close(), 1000, 'the log closes')
})

test('a disk that fails is told once, and nothing is durable after that', async () => {
  const world = new World(1)
  const process = world.process('zk')
  const { log, durable, failures } = openLog(process)
  log.append(at(1), error)
  log.flush()
  process.disk.faults.failBelow = { path: '/zk', code: 'EIO' }
  await world.settle(log.settled(), 1000, 'the sync has failed')
  log.append(at(2), error)
  log.flush()
  expect(failures.map((failure) => (failure as NodeJS.ErrnoException).code)).toEqual(['EIO'])
  expect(durable).toEqual([])
})

test('replay begins behind the snapshot, in whatever file that is', async () => {
  const process = await threeFiles(new World(1))
  for (let after = 0; after <= 9; after++) {
    expect(replay(process, after)).toEqual({ zxids: [1, 2, 3, 4, 5, 6, 7, 8, 9].slice(after), tornBytes: 0 })
  }
})

function change(process: Process, name: string, edit: (bytes: Buffer) => Buffer): void {
  const path = `${DIRECTORY}/${name}`
  const bytes = edit(process.env.disk.readFile(path))
  const file = process.env.disk.open(path, 'create')
  file.write(bytes, 0)
  file.close()
}

test('whatever a crash leaves of the last entry is cut off, and only that', async () => {
  const { length } = (await threeFiles(new World(1))).env.disk.readFile(`${DIRECTORY}/log.7`)
  const entryBytes = (length - 16) / 3
  for (let kept = 0; kept <= length; kept++) {
    const process = await threeFiles(new World(1))
    change(process, 'log.7', (bytes) => bytes.subarray(0, kept))
    const whole = Math.max(0, Math.floor((kept - 16) / entryBytes))
    expect(replay(process).zxids).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].slice(0, 6 + whole))
    // What is left is clean: neither server will find a torn end in it.
    expect(replay(process).tornBytes).toBe(0)
    expect(listLogs(process.env.disk, DIRECTORY)).toHaveLength(whole === 0 ? 2 : 3)
  }
})

test('a last entry with wrong bytes is cut off too', async () => {
  const process = await threeFiles(new World(1))
  change(process, 'log.7', (bytes) => {
    bytes[bytes.length - 3]! ^= 1
    return bytes
  })
  expect(replay(process)).toEqual({ zxids: [1, 2, 3, 4, 5, 6, 7, 8], tornBytes: 49 })
})

test("Apache's padding with zeros is the end of a file", async () => {
  const process = await threeFiles(new World(1))
  for (const name of ['log.4', 'log.7']) change(process, name, (bytes) => Buffer.concat([bytes, Buffer.alloc(5000)]))
  expect(replay(process)).toEqual({ zxids: [1, 2, 3, 4, 5, 6, 7, 8, 9], tornBytes: 0 })
})

test('entries that are missing in front of others are an error, never a silent gap', async () => {
  const damaged = await threeFiles(new World(1))
  change(damaged, 'log.4', (bytes) => {
    bytes[100]! ^= 1
    return bytes
  })
  expect(() => replay(damaged)).toThrow(
    /^Transactions 0x5 to 0x6 are missing in front of those in .*log\.7 \(.*log\.4 is damaged at byte \d+\)/,
  )
  expect(replay(damaged, 6).zxids).toEqual([7, 8, 9])
  const removed = await threeFiles(new World(1))
  removed.env.disk.remove(`${DIRECTORY}/log.4`)
  expect(() => replay(removed)).toThrow(StorageError)
  const shortened = await threeFiles(new World(1))
  change(shortened, 'log.4', (bytes) => bytes.subarray(0, 16 + (bytes.length - 16) / 3))
  expect(() => replay(shortened)).toThrow(/^Transactions 0x5 to 0x6 are missing/)
})

test('a file of something else is refused by name', async () => {
  const process = await threeFiles(new World(1))
  change(process, 'log.7', () => Buffer.alloc(100, 1))
  expect(() => replay(process)).toThrow(/log\.7 is not a ZooKeeper transaction log/)
})

test('a power cut at any moment leaves a prefix that has everything that was durable', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.array(fc.constantFrom('append', 'append', 'append', 'flush', 'roll', 'wait'), { maxLength: 60 }),
      async (seed, steps) => {
        const world = new World(seed)
        const process = world.process('zk')
        const { log, durable, failures } = openLog(process)
        process.env.disk.syncDirectory('/')
        process.env.disk.syncDirectory('/zk')
        let zxid = 0
        for (const step of steps) {
          if (step === 'append') log.append(at(++zxid), error)
          if (step === 'flush') log.flush()
          if (step === 'roll') log.roll()
          if (step === 'wait') await world.run(1)
        }
        process.cutPower()
        const survived = process.env.disk.exists(DIRECTORY) ? replay(process).zxids : []
        expect(survived).toEqual(survived.map((_, index) => index + 1))
        expect(survived.length).toBeGreaterThanOrEqual(durable.at(-1) ?? 0)
        expect(failures).toEqual([])
      },
    ),
    { numRuns: 200 },
  )
})
