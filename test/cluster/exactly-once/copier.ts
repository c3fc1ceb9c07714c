import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { JARS } from '../../apache/jars'
import { PYTHON, pythonHas } from '../support/rdkafka-producer'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import type { CopyJob } from './job'

export interface CopierKind {
  name: string
  /** Processes at once; a client that does not tell its generation when it commits must be alone. */
  count: number
  isThere(): boolean
  command(job: CopyJob): string[]
}

const root = join(__dirname, '../../..')

function javaCommand(job: CopyJob): string[] {
  const { bootstrap, client, group, input, output, transactionalId, transactionTimeoutMs, sessionTimeoutMs, holdMs } = job
  const given = [bootstrap, client, group, input, output, transactionalId, transactionTimeoutMs, sessionTimeoutMs, holdMs]
  return ['java', '-Xmx128m', '-cp', `${JARS}/*`, join(__dirname, 'Copy.java'), ...given.map(String)]
}

export const copierKinds = {
  prekraft: {
    name: 'prekraft',
    count: 2,
    isThere: () => true,
    command: (job) => [process.execPath, '-r', join(root, 'test/support/register.cjs'), join(__dirname, 'copy-prekraft.ts'), JSON.stringify(job)],
  },
  kafkajs: {
    name: 'kafkajs',
    count: 1,
    isThere: () => true,
    command: (job) => [process.execPath, join(__dirname, 'copy-kafkajs.cjs'), JSON.stringify(job)],
  },
  confluent: {
    name: 'confluent',
    count: 2,
    isThere: () => pythonHas('confluent_kafka'),
    command: (job) => [PYTHON, join(__dirname, 'copy_confluent.py'), JSON.stringify(job)],
  },
  java: {
    name: 'java',
    count: 2,
    isThere: () => existsSync(join(JARS, '.complete')) && spawnSync('java', ['-version'], { stdio: 'ignore' }).status === 0,
    command: javaCommand,
  },
} satisfies Record<string, CopierKind>

/** How long one waits before it takes the place of another that could not go on. */
const RESTART_MS = 200

/** One place for a copier process: whoever ends there is followed by the next. */
export class Copier {
  readonly kind: CopierKind
  readonly job: CopyJob
  /** What those before have said when they ended. */
  readonly endings: string[] = []
  /** Transactions that were said to be committed. */
  committed = 0
  private child!: ChildProcessWithoutNullStreams
  private wanted = true
  private ended: Promise<void> = Promise.resolve()
  private listeners: ((line: string) => void)[] = []

  constructor(kind: CopierKind, job: CopyJob) {
    this.kind = kind
    this.job = job
    this.start()
  }

  get pid(): number {
    return this.child.pid!
  }

  private start(): void {
    const [program, ...args] = this.kind.command(this.job)
    const child = spawn(program!, args)
    this.child = child
    let rest = ''
    let errors = ''
    let last = ''
    child.stdin.on('error', () => {})
    child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2000)))
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n')
      rest = lines.pop()!
      for (const line of lines) {
        last = line
        const [what] = line.split(' ')
        if (what === 'commit') this.committed++
        for (const listener of this.listeners) listener(line)
      }
    })
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        resolve()
        if (!this.wanted) return
        this.endings.push(`${signal ?? code}: ${last.startsWith('failed') ? last : errors.trim().slice(-300)}`)
        for (const listener of this.listeners) listener('ended')
        setTimeout(() => {
          if (this.wanted) this.start()
        }, RESTART_MS)
      })
    })
  }

  /** Calls back with each line, and `ended`. What it gives takes it back. */
  listen(listener: (line: string) => void): () => void {
    this.listeners.push(listener)
    return () => {
      this.listeners = this.listeners.filter((each) => each !== listener)
    }
  }

  /** kill -9; another one follows. */
  kill(): void {
    this.child.kill('SIGKILL')
  }

  standStill(): void {
    this.child.kill('SIGSTOP')
  }

  goOn(): void {
    this.child.kill('SIGCONT')
  }

  /** It ends what it does; nobody follows. */
  async stop(): Promise<void> {
    this.wanted = false
    this.child.kill('SIGCONT')
    this.child.stdin.end()
    const tooLong = setTimeout(() => this.child.kill('SIGKILL'), 15_000)
    await this.ended
    clearTimeout(tooLong)
  }

  abandon(): void {
    this.wanted = false
    this.child.kill('SIGKILL')
  }
}
