import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { javaTool } from './mixed-cluster'
import type { ChildProcess } from 'node:child_process'
import type { Sent } from '../cluster/support/history'

export const JAVA = 'java'
/** Before the number of each record. */
const PREFIX = '77'
const RECORDS_PER_SECOND = 40

interface Said {
  name: string
  value?: string
  partition?: number
  offset?: number
  message?: string
}

/** The number of a record that it wrote; undefined if another did. */
export function javaNumber(value: string): string | undefined {
  return /^77\.(\d+)$/.exec(value)?.[1]
}

/** Apache's own producer, idempotent and with acks=all, that writes all the time. */
export class JavaProducer {
  readonly acknowledged: Sent[] = []
  readonly errors: string[] = []
  isStopped = false
  private readonly child: ChildProcess
  private readonly ended: Promise<void>
  private rest = ''

  constructor(dir: string, bootstrapServers: string, topic: string) {
    const file = join(dir, 'java-producer.properties')
    const settings = ['enable.idempotence=true', 'retries=2147483647', 'delivery.timeout.ms=120000', 'request.timeout.ms=15000']
    writeFileSync(file, `${settings.join('\n')}\n`)
    const [program, ...args] = javaTool('org.apache.kafka.tools.VerifiableProducer', [
      ...['--broker-list', bootstrapServers, '--topic', topic, '--acks', '-1', '--value-prefix', PREFIX],
      ...['--throughput', String(RECORDS_PER_SECOND), '--producer.config', file],
    ])
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', program!, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
    this.ended = new Promise((resolve) =>
      this.child.once('close', () => {
        if (!this.isStopped) this.errors.push('it ended by itself')
        resolve()
      }),
    )
    this.child.stdout!.on('data', (chunk: Buffer) => {
      const lines = (this.rest + chunk.toString()).split('\n')
      this.rest = lines.pop()!
      for (const line of lines) if (line.startsWith('{')) this.take(JSON.parse(line) as Said)
    })
  }

  /** Resolves when each record has its answer. */
  async stop(): Promise<void> {
    this.isStopped = true
    this.child.kill('SIGTERM')
    const late = setTimeout(() => this.child.kill('SIGKILL'), 130_000)
    await this.ended
    clearTimeout(late)
  }

  kill(): void {
    this.child.kill('SIGKILL')
  }

  private take({ name, value = '', partition = -1, offset = -1, message }: Said): void {
    if (name === 'producer_send_success')
      this.acknowledged.push({ client: JAVA, n: Number(javaNumber(value)), partition, outcome: 'acknowledged', offset })
    else if (name === 'producer_send_error') this.errors.push(`${value}: ${message}`)
  }
}
