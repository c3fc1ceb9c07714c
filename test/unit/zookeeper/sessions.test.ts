import fc from 'fast-check'
import { Sessions } from '../../../zookeeper/sessions'

const TICK_MS = 1000

test('a session dies between its time-out and one tick more after its last packet', () => {
  const step = fc.record({ afterMs: fc.integer({ min: 0, max: 900 }), touches: fc.boolean() })
  fc.assert(
    fc.property(fc.integer({ min: 2000, max: 6000 }), fc.array(step, { maxLength: 100 }), (timeoutMs, steps) => {
      const sessions = new Sessions<undefined>(TICK_MS, 0)
      const session = sessions.open(1n, timeoutMs, 0)
      let lastPacketMs = 0
      let nowMs = 0
      let nextTickMs = TICK_MS
      const tick = (): boolean => {
        nowMs = nextTickMs
        nextTickMs += TICK_MS
        return sessions.expired(nowMs).includes(session)
      }
      for (const { afterMs, touches } of steps) {
        const untilMs = nowMs + afterMs
        while (nextTickMs <= untilMs) {
          const over = tick()
          if (nowMs - lastPacketMs < timeoutMs) expect(over).toBe(false)
          if (over) return
        }
        nowMs = untilMs
        if (!touches) continue
        sessions.touch(session, nowMs)
        lastPacketMs = nowMs
      }
      while (!tick()) expect(nowMs - lastPacketMs).toBeLessThanOrEqual(timeoutMs + TICK_MS)
      expect(nowMs - lastPacketMs).toBeGreaterThanOrEqual(timeoutMs)
    }),
  )
})

test('a server that stood still does not hold it against its clients', () => {
  const sessions = new Sessions<undefined>(TICK_MS, 0)
  sessions.open(1n, 4000, 0)
  expect(sessions.expired(1000)).toEqual([])
  // Stopped for a minute; the packets of that minute are still unread.
  expect(sessions.expired(61_000)).toEqual([])
  for (const nowMs of [62_000, 63_000]) expect(sessions.expired(nowMs)).toEqual([])
  expect(sessions.expired(64_000).map(({ id }) => id)).toEqual([1n])
})

test('wherever in a tick the server began, a session dies one tick after its time-out at most', () => {
  for (let beganMs = 0; beganMs < TICK_MS; beganMs += 50) {
    for (let openedMs = beganMs; openedMs < beganMs + TICK_MS; openedMs += 50) {
      const sessions = new Sessions<undefined>(TICK_MS, beganMs)
      sessions.open(1n, 6000, openedMs)
      let nowMs = beganMs
      do nowMs += sessions.untilTickMs(nowMs)
      while (sessions.expired(nowMs).length === 0)
      expect(nowMs - openedMs).toBeLessThanOrEqual(6000 + TICK_MS)
    }
  }
})

test('a packet that is read after a pause, before the late tick, does not lengthen a life by the pause', () => {
  const sessions = new Sessions<undefined>(TICK_MS, 0)
  const session = sessions.open(1n, 4000, 0)
  sessions.expired(1000)
  sessions.touch(session, 601_000)
  let nowMs = 601_000
  while (sessions.expired(nowMs).length === 0) nowMs += TICK_MS
  expect(nowMs).toBeLessThanOrEqual(601_000 + 4000 + 2 * TICK_MS)
})

test('a session that is over is not brought back by a late packet', () => {
  const sessions = new Sessions<undefined>(TICK_MS, 0)
  const session = sessions.open(1n, 2000, 0)
  sessions.close(session)
  sessions.touch(session, 5000)
  expect(sessions.expired(100_000)).toEqual([])
  expect(sessions.size).toBe(0)
})

test('the next expired come in the order of their time', () => {
  const sessions = new Sessions<undefined>(TICK_MS, 0)
  sessions.open(1n, 4000, 0)
  sessions.open(2n, 2000, 0)
  sessions.open(3n, 2000, 0)
  const due: bigint[] = []
  for (let nowMs = TICK_MS; nowMs <= 6000; nowMs += TICK_MS) {
    for (const session of sessions.expired(nowMs)) {
      due.push(session.id)
      sessions.close(session)
    }
  }
  expect(due).toEqual([2n, 3n, 1n])
})
