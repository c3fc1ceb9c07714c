import { createHash } from 'node:crypto'
import { SeededRandom } from './random'
import { SimulatedDisk } from './disk'
import { SimulatedNet } from './net'
import type { Clock, Environment } from '../../../runtime/ports'

/** A timer is late, never early: not even by what a sum of fractions loses. */
const TIMER_LATENESS_MS = 1e-6
/** Whoever does more than this in no time goes round in circles. */
const MOST_STEPS_AT_A_TIME = 100_000

/** One thing that will happen: at a virtual time, to one process. */
interface Happening {
  atMs: number
  order: number
  process: Process
  incarnation: number
  run: () => void
  cancelled: boolean
}

/** A binary heap by (time, order): the same seed pops the same happenings in the same order. */
class Agenda {
  private readonly heap: Happening[] = []

  get size(): number {
    return this.heap.length
  }

  push(item: Happening): void {
    const { heap } = this
    let at = heap.push(item) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(heap[at]!, heap[parent]!)) break
      swap(heap, at, parent)
      at = parent
    }
  }

  pop(): Happening | undefined {
    const { heap } = this
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || last === undefined || heap.length === 0) return top
    heap[0] = last
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      let least = at
      if (left < heap.length && before(heap[left]!, heap[least]!)) least = left
      if (left + 1 < heap.length && before(heap[left + 1]!, heap[least]!)) least = left + 1
      if (least === at) return top
      swap(heap, at, least)
      at = least
    }
  }
}

function before(a: Happening, b: Happening): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

function swap(heap: Happening[], a: number, b: number): void {
  const kept = heap[a]!
  heap[a] = heap[b]!
  heap[b] = kept
}

/**
 * One simulated process: an environment of its own, a disk that outlives it. Killing it drops everything that it had planned;
 * stopping it (SIGSTOP) keeps all that for when it goes on.
 */
export class Process {
  readonly name: string
  readonly world: World
  readonly env: Environment
  readonly disk: SimulatedDisk
  readonly net: SimulatedNet
  incarnation = 0
  private frozen: Happening[] | undefined

  constructor(world: World, name: string) {
    this.name = name
    this.world = world
    const random = world.random.fork(name)
    this.disk = new SimulatedDisk(this, random.fork('disk'))
    this.net = new SimulatedNet(this, random.fork('net'))
    this.env = { clock: this.clock(), random: random.fork('program'), disk: this.disk, net: this.net }
  }

  get stopped(): boolean {
    return this.frozen !== undefined
  }

  /** kill -9: nothing planned happens any more, connections break; what was written stays in the page cache. */
  kill(): void {
    this.world.note(this, 'killed')
    this.incarnation++
    this.frozen = undefined
    this.net.reset()
    this.disk.closeAll()
  }

  /** The machine loses power: as kill, and of what was not synced only some survives. */
  cutPower(): void {
    this.kill()
    this.disk.losePower()
    this.world.note(this, `power cut, disk ${this.disk.digest()}`)
  }

  stop(): void {
    this.world.note(this, 'stopped')
    this.frozen ??= []
  }

  goOn(): void {
    this.world.note(this, 'goes on')
    const waiting = this.frozen ?? []
    this.frozen = undefined
    for (const item of waiting) this.world.postpone(item)
  }

  /** Takes a happening that came due while the process is stopped. False: run it now. */
  hold(item: Happening): boolean {
    if (this.frozen === undefined) return false
    this.frozen.push(item)
    return true
  }

  private clock(): Clock {
    return {
      monoMs: () => this.world.nowMs,
      wallMs: () => 1_700_000_000_000 + Math.floor(this.world.nowMs),
      timer: (delayMs, callback) => {
        const item = this.world.plan(this, delayMs > 0 ? delayMs + TIMER_LATENESS_MS : 0, callback)
        return { cancel: () => (item.cancelled = true) }
      },
      immediate: (callback) => void this.world.plan(this, 0, callback),
    }
  }
}

/**
 * A world on virtual time: every process, its disk and the network between them in one thread, each step a pure function of the
 * seed. After every step all promises settle, then the invariants are checked.
 */
export class World {
  readonly seed: number
  readonly random: SeededRandom
  nowMs = 0
  steps = 0
  /** Since time last went by. */
  private stepsNow = 0
  private readonly agenda = new Agenda()
  private readonly processes = new Map<string, Process>()
  private order = 0
  private readonly hash = createHash('sha256')
  private readonly lines: string[] = []
  private failure: unknown
  /** Called after every step; throws when something that must always hold does not. */
  invariant: () => void = () => {}

  constructor(seed: number) {
    this.seed = seed
    this.random = new SeededRandom(seed)
  }

  process(name: string): Process {
    let process = this.processes.get(name)
    if (process === undefined) {
      process = new Process(this, name)
      this.processes.set(name, process)
    }
    return process
  }

  allProcesses(): Iterable<Process> {
    return this.processes.values()
  }

  plan(process: Process, delayMs: number, run: () => void): Happening {
    const item: Happening = {
      atMs: this.nowMs + delayMs,
      order: this.order++,
      process,
      incarnation: process.incarnation,
      run,
      cancelled: false,
    }
    this.agenda.push(item)
    return item
  }

  /** The same happening, still to be cancelled by whoever planned it, now. */
  postpone(item: Happening): void {
    item.atMs = this.nowMs
    item.order = this.order++
    this.agenda.push(item)
  }

  /** One line of the trace. The hash of all lines is the run's identity; the last of them are kept for the report. */
  note(process: Process, text: string): void {
    const line = `${this.nowMs.toFixed(3)} ${process.name} ${text}`
    this.hash.update(line)
    this.lines.push(line)
    if (this.lines.length > 2000) this.lines.splice(0, 1000)
  }

  traceHash(): string {
    return this.hash.copy().digest('hex')
  }

  lastLines(count = 100): string[] {
    return this.lines.slice(-count)
  }

  /** A failure inside a process or an invariant: ends the run with it. */
  fail(error: unknown): void {
    this.failure ??= error
  }

  /** Runs until `done` says so. Throws what failed, or that `limitMs` of virtual time went by. */
  async runUntil(done: () => boolean, limitMs: number, what: string): Promise<void> {
    const end = this.nowMs + limitMs
    await settle()
    while (!done()) {
      if (this.failure !== undefined) throw this.failure
      const item = this.agenda.pop()
      if (item === undefined) throw new Error(`nothing left to happen while waiting until ${what}`)
      if (item.cancelled || item.incarnation !== item.process.incarnation) continue
      if (item.atMs > end) {
        this.agenda.push(item)
        throw new Error(`${limitMs} virtual ms went by without: ${what}`)
      }
      if (item.atMs > this.nowMs) {
        this.nowMs = item.atMs
        this.stepsNow = 0
      }
      if (item.process.hold(item)) continue
      this.steps++
      if (++this.stepsNow > MOST_STEPS_AT_A_TIME) throw new Error(`${item.process.name} is busy, and no time goes by`)
      try {
        item.run()
        await settle()
        this.invariant()
      } catch (error) {
        this.fail(error)
      }
    }
    if (this.failure !== undefined) throw this.failure
  }

  /** Lets virtual time go by. */
  async run(durationMs: number): Promise<void> {
    let over = false
    const timer = this.plan(this.process('world'), durationMs, () => (over = true))
    await this.runUntil(() => over, durationMs + 1, 'time goes by')
    timer.cancelled = true
  }

  /** Runs the world until `promise` settles, and gives its result. */
  async settle<T>(promise: Promise<T>, limitMs: number, what: string): Promise<T> {
    let outcome: { value: T } | { error: unknown } | undefined
    promise.then(
      (value) => (outcome = { value }),
      (error: unknown) => (outcome = { error }),
    )
    await this.runUntil(() => outcome !== undefined, limitMs, what)
    if ('error' in outcome!) throw outcome.error
    return outcome!.value
  }
}

/** Kept from before a run poisons what is not the simulator's. */
const realImmediate = globalThis.setImmediate

/** All promises that can settle have settled when this resolves: exact, however deep the chain. */
function settle(): Promise<void> {
  return new Promise((resolve) => realImmediate(resolve))
}
