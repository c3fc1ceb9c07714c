import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseEvent } from './group-job'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import type { GroupJob, MemberEvent } from './group-job'

const PYTHON = '/usr/bin/python3'

export interface MemberKind {
  name: string
  /** Knows `group.instance.id`. */
  isStatic: boolean
  /** May be killed: it never commits what it has not told yet. */
  mayBeKilled: boolean
  /** Says what it is assigned. */
  tells: boolean
  isThere(): boolean
  command(job: GroupJob): string[]
}

function pythonKnows(module: string): boolean {
  return spawnSync(PYTHON, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0
}

function kcat({ bootstrap, group, member, topics, sessionTimeoutMs, instanceId }: GroupJob): string[] {
  const settings = [
    `client.id=${member}`, 'auto.offset.reset=earliest', `session.timeout.ms=${sessionTimeoutMs}`, 'heartbeat.interval.ms=500', 'auto.commit.interval.ms=300',
    'partition.assignment.strategy=range', 'topic.metadata.refresh.interval.ms=5000', 'reconnect.backoff.max.ms=1000', 'enable.sparse.connections=false',
    ...(instanceId === undefined ? [] : [`group.instance.id=${instanceId}`]),
  ]
  return ['kcat', '-b', bootstrap, '-u', '-f', 'r %t %p %o\\n', ...settings.flatMap((each) => ['-X', each]), '-G', group, ...topics]
}

export const memberKinds = {
  prekraft: {
    name: 'prekraft',
    isStatic: true,
    mayBeKilled: true,
    tells: true,
    isThere: () => true,
    command: (job) => [process.execPath, '-r', join(__dirname, '../../support/register.cjs'), join(__dirname, 'member-prekraft.ts'), JSON.stringify(job)],
  },
  kafkajs: {
    name: 'kafkajs',
    isStatic: false,
    mayBeKilled: true,
    tells: true,
    isThere: () => true,
    command: (job) => [process.execPath, join(__dirname, 'member-kafkajs.cjs'), JSON.stringify(job)],
  },
  platformatic: {
    name: '@platformatic/kafka',
    isStatic: true,
    mayBeKilled: true,
    tells: true,
    isThere: () => true,
    command: (job) => [process.execPath, join(__dirname, 'member-platformatic.mjs'), JSON.stringify(job)],
  },
  confluent: {
    name: 'confluent-kafka',
    isStatic: true,
    mayBeKilled: true,
    tells: true,
    isThere: () => pythonKnows('confluent_kafka'),
    command: (job) => [PYTHON, join(__dirname, 'member_confluent.py'), JSON.stringify(job)],
  },
  kafkaPython: {
    name: 'kafka-python',
    isStatic: false,
    mayBeKilled: true,
    tells: true,
    isThere: () => pythonKnows('kafka'),
    command: (job) => [PYTHON, join(__dirname, 'member_kafka_python.py'), JSON.stringify(job)],
  },
  kcat: {
    name: 'kcat',
    isStatic: true,
    mayBeKilled: false,
    tells: false,
    isThere: () => spawnSync('kcat', ['-V'], { stdio: 'ignore' }).status === 0,
    command: kcat,
  },
} satisfies Record<string, MemberKind>

/** A process that is a member of a group. */
export class Member {
  readonly kind: MemberKind
  readonly job: GroupJob
  readonly startedMs = performance.now()
  private readonly child: ChildProcessWithoutNullStreams
  private readonly ended: Promise<void>
  private rest = ''
  private errors = ''
  /** It was told to end, or killed. */
  private isToEnd = false

  constructor(kind: MemberKind, job: GroupJob, onEvent: (event: MemberEvent) => void) {
    this.kind = kind
    this.job = job
    const [program, ...args] = kind.command(job)
    this.child = spawn(program!, args)
    this.child.stdin.on('error', () => {})
    this.ended = new Promise((resolve) => this.child.once('close', () => resolve()))
    this.child.stderr.on('data', (chunk: Buffer) => (this.errors = (this.errors + chunk.toString()).slice(-4000)))
    this.child.stdout.on('data', (chunk: Buffer) => {
      const lines = (this.rest + chunk.toString()).split('\n')
      this.rest = lines.pop()!
      for (const line of lines) {
        const event = parseEvent(job.member, line)
        if (event !== undefined) onEvent(event)
      }
    })
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  /** Throws if it ended by itself. */
  check(): void {
    if (this.isRunning || this.isToEnd) return
    throw new Error(`${this.kind.name} ${this.job.member} ended with ${this.child.exitCode ?? this.child.signalCode}: ${this.errors}`)
  }

  /** What it complained of. */
  get complaints(): string {
    return this.errors
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.isToEnd = true
    this.child.kill('SIGKILL')
    await this.ended
  }

  /** It leaves the group, as far as the client does that, and ends. */
  async leave(): Promise<void> {
    this.isToEnd = true
    this.child.stdin.end()
    if (this.kind === memberKinds.kcat) this.child.kill('SIGTERM')
    const tooLong = setTimeout(() => this.child.kill('SIGKILL'), 20_000)
    await this.ended
    clearTimeout(tooLong)
  }

  standStill(): void {
    this.child.kill('SIGSTOP')
  }

  goOn(): void {
    this.child.kill('SIGCONT')
  }
}
