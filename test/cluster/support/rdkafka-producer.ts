import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import type { Sent } from './history'

export const PYTHON = '/usr/bin/python3'
const CLIENT = 'rdkafka'

/** Whether Python is here, and knows this module. */
export function pythonHas(module: string): boolean {
  return spawnSync(PYTHON, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0
}

let isThere: boolean | undefined

/** An idempotent producer of librdkafka's: a client that we did not write. */
export class RdkafkaProducer {
  /** What ended it; others of its kind went on. Of what it had under way nobody knows whether it was written. */
  readonly fatal: string[] = []
  private readonly child: ChildProcessWithoutNullStreams
  private readonly sent: Sent[] = []
  private readonly ended: Promise<void>
  private total = -1
  private errors = ''
  private rest = ''

  static isThere(): boolean {
    return (isThere ??= pythonHas('confluent_kafka'))
  }

  /** `args` as the script names them. */
  constructor(args: readonly string[], onAcknowledged: (partition: number) => void) {
    const script = join(__dirname, 'rdkafka_producer.py')
    this.child = spawn(PYTHON, [script, ...args])
    this.ended = new Promise((resolve) => this.child.once('close', () => resolve()))
    this.child.stderr.on('data', (chunk: Buffer) => (this.errors = (this.errors + chunk.toString()).slice(-2000)))
    this.child.stdout.on('data', (chunk: Buffer) => {
      const lines = (this.rest + chunk.toString()).split('\n')
      this.rest = lines.pop()!
      for (const line of lines) this.take(line, onAcknowledged)
    })
  }

  /** Resolves with all that it sent, when each record has its answer. */
  async stop(): Promise<Sent[]> {
    this.child.stdin.end()
    await this.ended
    if (this.total < 0) throw new Error(`librdkafka's producer ended before its time: ${this.errors}`)
    const answered = new Set(this.sent.map(({ n }) => n))
    for (let n = 0; n < this.total; n++) {
      if (!answered.has(n)) this.sent.push({ client: CLIENT, n, partition: -1, outcome: 'unknown', offset: -1, error: 'no answer' })
    }
    return this.sent
  }

  kill(): void {
    this.child.kill('SIGKILL')
  }

  private take(line: string, onAcknowledged: (partition: number) => void): void {
    if (line.startsWith('f ')) {
      this.fatal.push(line.slice(2))
      return
    }
    const [kind, n, partition, ...rest] = line.split(' ')
    if (kind === 'done') this.total = Number(n)
    else if (kind === 'a') {
      this.sent.push({ client: CLIENT, n: Number(n), partition: Number(partition), outcome: 'acknowledged', offset: Number(rest[0]) })
      onAcknowledged(Number(partition))
    } else {
      this.sent.push({ client: CLIENT, n: Number(n), partition: Number(partition), outcome: 'unknown', offset: -1, error: rest.join(' ') })
    }
  }
}
