import * as crypto from 'node:crypto'
import { performance } from 'node:perf_hooks'

type Table = Record<string, unknown>

/** What would let the real world into a run. The simulator keeps the one timer that it needs (world.ts). */
const LEAKS: [string, Table, string[]][] = [
  ['', globalThis as unknown as Table, ['setTimeout', 'setInterval', 'setImmediate']],
  ['Date.', Date as unknown as Table, ['now']],
  ['Math.', Math as unknown as Table, ['random']],
  ['process.', process as unknown as Table, ['hrtime', 'uptime', 'exit']],
  ['performance.', performance as unknown as Table, ['now']],
  ['crypto.', crypto as unknown as Table, ['randomBytes', 'randomFillSync', 'randomInt', 'randomUUID', 'generateKeyPairSync']],
]

/**
 * Makes clocks, timers and random numbers that are not the simulator's throw, and fail the run, until `undo` is called. `new Date()` without
 * arguments is one of them.
 */
export function poison(onLeak: (error: Error) => void): () => void {
  const restores: (() => void)[] = []
  const put = (table: Table, key: string, value: unknown): void => {
    const descriptor = Object.getOwnPropertyDescriptor(table, key)
    Object.defineProperty(table, key, { configurable: true, writable: true, value })
    restores.push(() => {
      if (descriptor === undefined) delete table[key]
      else Object.defineProperty(table, key, descriptor)
    })
  }
  const leak = (name: string) => (): never => {
    const error = new Error(`${name} was used in the simulation: it belongs behind a port`)
    // node-zookeeper-client shuffles the one placeholder that it is given in place of servers.
    if (error.stack?.includes('ConnectionStringParser') === true) return 0 as never
    onLeak(error)
    throw error
  }
  for (const [prefix, found, keys] of LEAKS) {
    const table = (prefix === 'crypto.' ? ((found as { default?: Table }).default ?? found) : found) as Table
    for (const key of keys) if (typeof table[key] === 'function') put(table, key, leak(prefix + key))
  }
  // What maps stack traces to sources draws random numbers.
  put(Error as unknown as Table, 'prepareStackTrace', undefined)
  const RealDate = Date
  const noNow = leak('new Date()')
  put(globalThis as unknown as Table, 'Date', new Proxy(RealDate, {
    construct: (target, args: []) => (args.length === 0 ? noNow() : new target(...args)),
  }))
  return () => {
    for (const restore of restores.splice(0).reverse()) restore()
  }
}
