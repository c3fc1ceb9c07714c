import { randomBytes, randomInt } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { Clock, Random } from './ports'

const LONGEST_DELAY_MS = 2 ** 31 - 1

export const realClock: Clock = {
  monoMs: () => performance.now(),
  wallMs: () => Date.now(),
  timer(delayMs, callback) {
    const handle = setTimeout(callback, Math.min(Math.max(delayMs, 0), LONGEST_DELAY_MS))
    return { cancel: () => clearTimeout(handle) }
  },
  immediate: (callback) => {
    setImmediate(callback)
  },
}

export const realRandom: Random = {
  next: () => Math.random(),
  below: (bound) => (bound <= 1 ? 0 : randomInt(bound)),
  bytes: (length) => randomBytes(length),
}
