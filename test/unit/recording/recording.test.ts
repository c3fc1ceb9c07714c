import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { encodeRecorded, EventReader } from '../../../recording/codec'
import { FileRecorder } from '../../../recording/file-recorder'
import { realEnvironment } from '../../../runtime/real'
import { silentLogger } from '../../../runtime/log'
import type { Recorded } from '../../../recording/events'

const transition: Recorded = {
  sequence: 7,
  wallUs: 1_700_000_000_123_456,
  monoMs: 12.5,
  process: 'broker-1',
  event: {
    kind: 'stateTransition', topic: 'orders', partition: 3, replica: -1, from: 'OfflinePartition', to: 'OnlinePartition',
    rule: 'first live replica in the ISR', cause: 'BrokerChange', leader: 2, leaderEpoch: 4, isr: [2, 3], controllerEpoch: 9, error: '',
  },
}

test('an event comes back as it was written, in whatever pieces', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 60 }), (count, piece) => {
      const bytes = Buffer.concat(Array.from({ length: count }, () => encodeRecorded(transition)))
      const reader = new EventReader()
      const events: Recorded[] = []
      for (let at = 0; at < bytes.length; at += piece) events.push(...reader.push(bytes.subarray(at, at + piece)))
      expect(events).toEqual(Array.from({ length: count }, () => transition))
    }),
  )
})

test('fields left out read as nothing, and a partition has replica -1', () => {
  const bytes = encodeRecorded({ sequence: 1, wallUs: 0, monoMs: 0, process: 'p', event: { kind: 'stateTransition', topic: 't', partition: 0, from: 'a', to: 'b' } })
  expect(new EventReader().push(bytes)[0]!.event).toMatchObject({ replica: -1, leader: 0, isr: [], rule: '' })
})

test('bytes that are no recording are refused', () => {
  expect(() => new EventReader().push(Buffer.alloc(20, 0xff))).toThrow('not a recording')
})

describe('the recorder of a process', () => {
  const env = realEnvironment()
  let directory: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'prekraft-recording-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  test('writes its files and tells its followers', async () => {
    const recorder = new FileRecorder(env, { directory, process: 'broker-0', logger: silentLogger })
    await recorder.start()
    const reader = new EventReader()
    const followed: Recorded[] = []
    const stream = env.net.connect(join(directory, 'follow.sock'), 0, {
      onConnect: () => {},
      onData: (chunk) => void followed.push(...reader.push(chunk)),
      onClose() {},
    })
    let beat = 0
    while (followed.length < 3) {
      recorder.record({ kind: 'life', what: 'beat', detail: String(beat++) })
      await new Promise((resolve) => setImmediate(resolve))
    }
    recorder.close()
    stream.destroy()
    const written = new EventReader().push(readFileSync(join(directory, 'recording-0.bin')))
    expect(written.map((each) => each.sequence)).toEqual(written.map((_, index) => index + 1))
    expect(written.slice(-followed.length).length).toBeGreaterThanOrEqual(3)
  })

  test('leaves alone what another process records', async () => {
    const first = new FileRecorder(env, { directory, process: 'broker-0', logger: silentLogger })
    await first.start()
    const second = new FileRecorder(env, { directory, process: 'broker-0', logger: silentLogger })
    await second.start()
    second.record({ kind: 'life', what: 'second' })
    second.close()
    first.record({ kind: 'life', what: 'first' })
    let isFollowed = false
    await new Promise<void>((resolve) => {
      const stream = env.net.connect(join(directory, 'follow.sock'), 0, {
        onConnect() {
          isFollowed = true
          stream.destroy()
        },
        onData() {},
        onClose: () => resolve(),
      })
    })
    first.close()
    expect(isFollowed).toBe(true)
    const written = ['recording-0.bin', 'recording-1.bin'].filter((name) => existsSync(join(directory, name)))
    expect(written.flatMap((name) => new EventReader().push(readFileSync(join(directory, name))))).toHaveLength(1)
    // What a dead process left is taken over.
    const third = new FileRecorder(env, { directory, process: 'broker-0', logger: silentLogger })
    await third.start()
    third.record({ kind: 'life', what: 'third' })
    third.close()
    expect(new EventReader().push(readFileSync(join(directory, 'recording-1.bin')))).toHaveLength(1)
  })

  test('tells the time finer than the wall clock, and follows its steps', async () => {
    // The true time is 0.7 ms ahead of the monotonic clock; the wall clock cuts fractions off.
    let mono = 1000
    let step = 0
    const clock = { ...env.clock, monoMs: () => mono, wallMs: () => Math.floor(mono + 0.7) + step }
    const recorder = new FileRecorder({ ...env, clock }, { directory, process: 'broker-0', logger: silentLogger })
    await recorder.start()
    const tick = (count: number): void => {
      for (let i = 0; i < count; i++) {
        mono += 0.31
        recorder.record({ kind: 'life', what: 'x' })
      }
    }
    tick(50)
    step = -5000
    tick(50)
    recorder.close()
    const events = new EventReader().push(readFileSync(join(directory, 'recording-0.bin')))
    const truth = events.map(({ monoMs }, i) => (monoMs + 0.7 + (i < 50 ? 0 : -5000)) * 1000)
    for (const each of [events.slice(0, 50), events.slice(50)]) {
      const times = each.map(({ wallUs }) => wallUs)
      expect(times).toEqual([...times].sort((a, b) => a - b))
    }
    // Never ahead, and less and less behind.
    const behind = events.map(({ wallUs }, i) => truth[i]! - wallUs)
    expect(Math.min(...behind)).toBeGreaterThan(-1)
    expect(Math.max(...behind)).toBeLessThan(1001)
    expect(behind[49]).toBeLessThan(50)
    expect(behind[99]).toBeLessThan(50)
  })

  test('keeps its files bounded, the newest events among them', async () => {
    const recorder = new FileRecorder(env, { directory, process: 'broker-0', logger: silentLogger })
    await recorder.start()
    const text = 'x'.repeat(100_000)
    for (let i = 0; i < 300; i++) {
      recorder.record({ kind: 'remark', level: 'info', text })
      recorder.flush()
    }
    recorder.close()
    const sizes = [0, 1].map((index) => statSync(join(directory, `recording-${index}.bin`)).size)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(8 * 1024 * 1024)
    const last = [0, 1].flatMap((index) => new EventReader().push(readFileSync(join(directory, `recording-${index}.bin`))))
    expect(Math.max(...last.map((each) => each.sequence))).toBe(300)
  })
})
