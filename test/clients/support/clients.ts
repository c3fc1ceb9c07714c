import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha1, valueOf } from './job'
import type { ChildProcess } from 'node:child_process'
import type { CodecName, Job, ReadRecord, RecordShape } from './job'

/** Debian's modules are for Debian's Python. */
const PYTHON = '/usr/bin/python3'
const NODE_HAS_ZSTD = 'zstdCompressSync' in (require('node:zlib') as object)

export interface Client {
  name: string
  codecs: readonly CodecName[]
  /** False: a record whose answer was lost is sent again, and may be there twice. */
  idempotent: boolean
  isThere(): boolean
  produce(job: Job): Production
  consume?(job: Job & { count: number }): Promise<ReadRecord[]>
}

/** A producer at work. */
export interface Production {
  /** Numbers of records that were acknowledged, with the offsets where the client tells them. */
  readonly acknowledged: Map<number, number>
  /** Ends a stream; resolves with how many records were sent when all are acknowledged. Rejects with what the client complained of. */
  stop(): Promise<number>
  kill(): void
}

function python(script: string): Omit<Client, 'name' | 'codecs' | 'isThere' | 'idempotent'> {
  const command = [PYTHON, join(__dirname, script)]
  return { produce: (job) => new LineProducer(command, job), consume: (job) => consumeLines(command, job) }
}

function knows(module: string): boolean {
  return spawnSync(PYTHON, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0
}

export const npmClients: Client[] = [
  {
    name: 'kafkajs',
    codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    idempotent: true,
    isThere: () => true,
    produce: (job) => new LineProducer([process.execPath, join(__dirname, 'kafkajs.cjs')], job),
  },
  {
    name: '@platformatic/kafka',
    // Its zstd is Node's.
    codecs: ['none', 'gzip', 'snappy', 'lz4', ...(NODE_HAS_ZSTD ? (['zstd'] as const) : [])],
    idempotent: true,
    isThere: () => true,
    produce: (job) => new LineProducer([process.execPath, join(__dirname, 'platformatic.mjs')], job),
  },
]

export const debianClients: Client[] = [
  {
    name: 'kcat',
    codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    idempotent: true,
    isThere: () => spawnSync('kcat', ['-V'], { stdio: 'ignore' }).status === 0,
    produce: (job) => (job.records === undefined ? new KcatStream(job) : new KcatList(job)),
    consume: consumeByKcat,
  },
  {
    name: 'confluent-kafka',
    codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    idempotent: true,
    isThere: () => knows('confluent_kafka'),
    ...python('confluent.py'),
  },
  {
    name: 'kafka-python',
    // The others need modules that Debian's package does not ask for.
    codecs: ['none', 'gzip'],
    idempotent: false,
    isThere: () => knows('kafka'),
    ...python('kafka_python.py'),
  },
]

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code))
  })
}

/** A worker that speaks as job.ts says. */
class LineProducer implements Production {
  readonly acknowledged = new Map<number, number>()
  private readonly child: ChildProcess
  private readonly end: Promise<number | null>
  private total = -1
  private errors = ''
  private rest = ''

  constructor([program, ...args]: string[], job: Job) {
    this.child = spawn(program!, [...args, JSON.stringify(job)])
    this.end = ended(this.child)
    this.child.stdin!.on('error', () => {})
    this.child.stderr!.on('data', (chunk: Buffer) => (this.errors = (this.errors + chunk.toString()).slice(-3000)))
    this.child.stdout!.on('data', (chunk: Buffer) => {
      const lines = (this.rest + chunk.toString()).split('\n')
      this.rest = lines.pop()!
      for (const line of lines) {
        const [what, number, offset] = line.split(' ')
        if (what === 'a') this.acknowledged.set(Number(number), Number(offset))
        else if (what === 'done') this.total = Number(number)
      }
    })
  }

  async stop(): Promise<number> {
    this.child.stdin!.end()
    const code = await this.end
    if (code !== 0 || this.total < 0) throw new Error(`the producer ended with ${code}: ${this.errors}`)
    return this.total
  }

  kill(): void {
    this.child.kill('SIGKILL')
  }
}

async function consumeLines([program, ...args]: string[], job: Job): Promise<ReadRecord[]> {
  const child = spawn(program!, [...args, JSON.stringify(job)], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-3000)))
  const code = await ended(child)
  if (code !== 0) throw new Error(`the consumer ended with ${code}: ${errors}`)
  return out.trim().split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as ReadRecord)
}

function settings(...given: string[]): string[] {
  return given.flatMap((setting) => ['-X', setting])
}

function kcatProducer({ bootstrap, topic, codec }: Job): string[] {
  const reliable = settings(
    'enable.idempotence=true', 'linger.ms=0', 'delivery.timeout.ms=120000', 'message.max.bytes=12582912',
    'topic.metadata.refresh.interval.ms=5000', 'reconnect.backoff.max.ms=1000',
    // kcat gives up when the last connection breaks, also if the other brokers have long been there again: it must connect to all.
    'enable.sparse.connections=false',
  )
  return ['-P', '-q', '-b', bootstrap, '-t', topic, '-p', '0', '-z', codec, ...reliable]
}

/** One call of kcat per record: it gives all messages of a call the same key and headers. */
class KcatList implements Production {
  readonly acknowledged = new Map<number, number>()
  private readonly run: Promise<number>
  private child: ChildProcess | undefined

  constructor(job: Job) {
    this.run = this.produce(job, job.records!)
    this.run.catch(() => {})
  }

  private async produce(job: Job, records: RecordShape[]): Promise<number> {
    const directory = mkdtempSync(join(tmpdir(), 'prekraft-kcat-'))
    try {
      for (const [i, { size, key, headers }] of records.entries()) {
        const file = join(directory, String(i))
        writeFileSync(file, valueOf(i, size))
        const extra = [...(key ? ['-k', `key-${i}`] : []), ...(headers ? ['-H', `first=value-${i}`, '-H', 'second=x'] : [])]
        this.child = spawn('kcat', [...kcatProducer(job), ...extra, file], { stdio: ['ignore', 'ignore', 'pipe'] })
        let errors = ''
        this.child.stderr!.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-3000)))
        const code = await ended(this.child)
        if (code !== 0) throw new Error(`kcat ended with ${code}: ${errors}`)
        this.acknowledged.set(i, i)
      }
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
    return records.length
  }

  stop(): Promise<number> {
    return this.run
  }

  kill(): void {
    this.child?.kill('SIGKILL')
  }
}

/** kcat that produces the lines of its standard input. It says nothing of acknowledgements, but waits for all before it ends. */
class KcatStream implements Production {
  readonly acknowledged = new Map<number, number>()
  private readonly child: ChildProcess
  private readonly end: Promise<number | null>
  private readonly timer: NodeJS.Timeout
  private sent = 0
  private errors = ''

  constructor(job: Job) {
    this.child = spawn('kcat', kcatProducer(job))
    this.end = ended(this.child)
    this.child.stdin!.on('error', () => {})
    this.child.stdout!.resume()
    this.child.stderr!.on('data', (chunk: Buffer) => (this.errors = (this.errors + chunk.toString()).slice(-3000)))
    this.timer = setInterval(() => {
      for (let i = 0; i < 5; i++) this.child.stdin!.write(`${valueOf(this.sent++, job.stream!.size)}\n`)
    }, 10)
  }

  async stop(): Promise<number> {
    clearInterval(this.timer)
    this.child.stdin!.end()
    const code = await this.end
    if (code !== 0) throw new Error(`kcat ended with ${code}: ${this.errors}`)
    for (let i = 0; i < this.sent; i++) this.acknowledged.set(i, -1)
    return this.sent
  }

  kill(): void {
    clearInterval(this.timer)
    this.child.kill('SIGKILL')
  }
}

/** The values are ASCII without tabs and line ends. */
async function consumeByKcat({ bootstrap, topic, count }: Job & { count: number }): Promise<ReadRecord[]> {
  const large = settings('fetch.message.max.bytes=12582912', 'receive.message.max.bytes=67108864')
  const format = '%o\t%K\t%k\t%h\t%S\t%s\n'
  const args = ['-C', '-q', '-b', bootstrap, '-t', topic, '-p', '0', '-o', 'beginning', '-c', String(count), ...large, '-f', format]
  const child = spawn('kcat', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const chunks: Buffer[] = []
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-3000)))
  const code = await ended(child)
  if (code !== 0) throw new Error(`kcat ended with ${code}: ${errors}`)
  const lines = Buffer.concat(chunks).toString('latin1').split('\n').slice(0, -1)
  return lines.map((line) => {
    const [offset, keySize, key, headers, size, value] = line.split('\t')
    return {
      offset: Number(offset),
      key: keySize === '-1' ? null : key!,
      size: Number(size),
      sha1: sha1(value!),
      headers: Object.fromEntries(headers!.split(',').filter((each) => each !== '').map((each) => each.split('=') as [string, string])),
    }
  })
}
