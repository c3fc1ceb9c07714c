import { spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { isWarning, readable } from './log-lines'
import type { ChildProcess } from 'node:child_process'
import type { Writable } from 'node:stream'

export interface ChildOptions {
  /** `broker 1`, `zookeeper`. */
  name: string
  args: readonly string[]
  logFile: string
  /** It ends when we do, however we end. */
  isTied: boolean
  /** A warning or an error appeared in its log. */
  onWarning(line: string): void
  onExit(child: Child): void
}

const WATCH_LOG_MS = 200
const TAIL_BYTES = 16 * 1024

/**
 * One process of the cluster. It has a process group of its own: the Ctrl-C of a terminal goes to us alone, who stop it in
 * order. Its log goes straight to its file, so that it outlives us.
 */
export class Child {
  readonly name: string
  readonly logFile: string
  private readonly process: ChildProcess
  private readonly options: ChildOptions
  private logPosition: number
  private readonly watch: NodeJS.Timeout
  private partial = ''
  private over = false
  private waiting: (() => void)[] = []
  /** Set when we asked it to stop. */
  isStopping = false

  constructor(options: ChildOptions) {
    this.options = options
    this.name = options.name
    this.logFile = options.logFile
    const log = openSync(options.logFile, 'a')
    this.logPosition = fstatSync(log).size
    const stdin = options.isTied ? 'pipe' : 'ignore'
    const env = options.isTied ? { ...environment(), PREKRAFT_TIED: '1' } : environment()
    this.process = spawn(process.execPath, options.args, { stdio: [stdin, log, log], detached: true, env })
    // The pipe closes with this process, and with that the child's input ends; it keeps nobody alive.
    const pipe = this.process.stdin as (Writable & { unref?(): void }) | null
    pipe?.on('error', () => {})
    pipe?.unref?.()
    closeSync(log)
    const ended = (): void => {
      if (this.over) return
      this.over = true
      clearInterval(this.watch)
      this.readLog()
      options.onExit(this)
      for (const resolve of this.waiting.splice(0)) resolve()
    }
    this.process.once('error', ended)
    this.process.once('exit', ended)
    this.watch = setInterval(() => this.readLog(), WATCH_LOG_MS)
    this.watch.unref()
  }

  /** -1 if it could not be started at all. */
  get pid(): number {
    return this.process.pid ?? -1
  }

  get isOver(): boolean {
    return this.over
  }

  /** How it ended, in words. */
  get end(): string {
    const { signalCode, exitCode } = this.process
    return signalCode !== null ? `signal ${signalCode}` : `exit code ${exitCode ?? 'unknown'}`
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.over) this.process.kill(signal)
  }

  /** Resolves with true when it is over, with false after `timeoutMs`. */
  exited(timeoutMs: number): Promise<boolean> {
    if (this.over) return Promise.resolve(true)
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs)
      this.waiting.push(() => {
        clearTimeout(timer)
        resolve(true)
      })
    })
  }

  /** The last lines of its log, as a person reads them. */
  lastLines(count: number): string[] {
    return tailOf(this.logFile)
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-count)
      .map(readable)
  }

  /** What it said outside its log format: why it could not start, in one sentence. */
  lastWords(): string | undefined {
    return tailOf(this.logFile)
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.startsWith('{'))
      .at(-1)
  }

  private readLog(): void {
    let file: number
    try {
      file = openSync(this.logFile, 'r')
    } catch {
      return
    }
    try {
      const size = fstatSync(file).size
      if (size <= this.logPosition) return
      const bytes = Buffer.alloc(Math.min(size - this.logPosition, 256 * 1024))
      const count = readSync(file, bytes, 0, bytes.length, this.logPosition)
      this.logPosition += count
      const lines = (this.partial + bytes.toString('utf8', 0, count)).split('\n')
      this.partial = (lines.pop() ?? '').slice(-TAIL_BYTES)
      for (const line of lines) if (isWarning(line)) this.options.onWarning(readable(line))
    } finally {
      closeSync(file)
    }
  }
}

/**
 * Ours without what would configure a broker: its properties file says everything, and is not the same for all. As bin/ does, glibc is
 * told to give back what it does not need (it otherwise keeps 5 MiB of what compiling took).
 */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('KAFKA_'))
  return { MALLOC_TRIM_THRESHOLD_: '131072', ...Object.fromEntries(kept) }
}

function tailOf(path: string): string {
  try {
    const file = openSync(path, 'r')
    try {
      const { size } = fstatSync(file)
      const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES))
      const count = readSync(file, bytes, 0, bytes.length, size - bytes.length)
      return bytes.toString('utf8', 0, count)
    } finally {
      closeSync(file)
    }
  } catch {
    return ''
  }
}
