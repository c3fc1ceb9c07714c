import fc from 'fast-check'
import { TimerWheel } from '../../../runtime/timer-wheel'
import type { Clock } from '../../../runtime/ports'

/** A clock that moves only when told. */
function handClock(): Clock & { advance(ms: number): void } {
  let nowMs = 1000.5
  const timers = new Set<{ dueMs: number; callback: () => void }>()
  return {
    monoMs: () => nowMs,
    wallMs: () => Math.floor(nowMs),
    immediate: (callback) => callback(),
    timer(delayMs, callback) {
      const timer = { dueMs: nowMs + delayMs, callback }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    advance(ms) {
      const end = nowMs + ms
      for (;;) {
        const next = [...timers].filter((timer) => timer.dueMs <= end).sort((a, b) => a.dueMs - b.dueMs)[0]
        if (next === undefined) break
        timers.delete(next)
        nowMs = Math.max(nowMs, next.dueMs)
        next.callback()
      }
      nowMs = end
    },
  }
}

test('every entry fires once, never early and at most two ticks late, unless cancelled', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ wait: fc.integer({ min: 0, max: 20_000 }), delay: fc.oneof(fc.integer({ min: 0, max: 12_000 }), fc.integer({ min: 0, max: 4_000_000 })), cancel: fc.boolean() }), {
        maxLength: 20,
      }),
      (entries) => {
        const clock = handClock()
        const wheel = new TimerWheel(clock)
        const problems: string[] = []
        let expected = 0
        let fired = 0
        for (const { wait, delay, cancel } of entries) {
          clock.advance(wait)
          const due = clock.monoMs() + delay
          const entry = wheel.add(delay, () => {
            fired++
            const late = clock.monoMs() - due
            if (late < 0 || late > 20) problems.push(`delay ${delay} was ${late} ms late`)
            if (cancel) problems.push('a cancelled entry fired')
          })
          if (cancel) {
            entry.cancel()
            entry.cancel()
          } else expected++
        }
        clock.advance(10_000_000)
        expect(problems).toEqual([])
        expect(fired).toBe(expected)
        expect(wheel.size).toBe(0)
      },
    ),
    { numRuns: 30 },
  )
})
