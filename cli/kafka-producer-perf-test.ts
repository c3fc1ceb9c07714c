import { existsSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { Producer } from '../client/producer'
import { realEnvironment } from '../runtime/real'
import { ArgparseError } from './tool/argparse'
import { argumentHelp, argumentUsage } from './tool/argparse-help'
import { Failure, runArgparseTool } from './tool/argparse-tool'
import { Pace } from './tool/pace'
import { ProducerStats } from './performance/latency'
import { metricsTable } from './performance/metrics'
import { PRODUCER_PERFORMANCE } from './performance/grammar'
import { propertiesIn } from './tool/run'
import type { Arguments } from './tool/argparse'

const print = (text: string): void => void process.stdout.write(text)

function configOf(given: Arguments, isTransactional: boolean): Record<string, string> {
  const file = given.text('--producer.config')
  if (file === undefined && !given.has('--producer-props')) {
    const message = `${PRODUCER_PERFORMANCE.program}: error: Either --producer-props or --producer.config must be specified.`
    throw new ArgparseError(message, argumentUsage(PRODUCER_PERFORMANCE))
  }
  const config: Record<string, string> = { ...(file === undefined ? {} : propertiesIn(file)) }
  for (const property of given.list('--producer-props')) {
    const parts = property.split('=')
    if (parts.length !== 2) throw new Failure(`Invalid property: ${property}`)
    config[parts[0]!] = parts[1]!
  }
  config['client.id'] ??= 'perf-producer-client'
  if (isTransactional) config['transactional.id'] = given.text('--transactional-id')!
  return config
}

/** Says what the next record's value is. */
function payloads(given: Arguments): (index: number) => Buffer {
  const file = given.text('--payload-file')
  if (file !== undefined) {
    print(`Reading payloads from: ${resolve(file)}\n`)
    if (!existsSync(file) || statSync(file).size === 0) throw new Failure('File does not exist or empty file provided.')
    const delimiter = given.text('--payload-delimiter')!
    const texts = readFileSync(file, 'utf8').split(delimiter === '\\n' ? '\n' : delimiter)
    while (texts.length > 1 && texts.at(-1) === '') texts.pop()
    print(`Number of messages read: ${texts.length}\n`)
    const list = texts.map((text) => Buffer.from(text))
    return () => list[Math.floor(Math.random() * list.length)]!
  }
  const size = given.number('--record-size')
  if (size === undefined) return (index) => Buffer.from(String(index))
  // One block of letters, read from another place each time, so that making records is not what is measured.
  const letters = Buffer.alloc(size * 2 + 1024)
  for (let i = 0; i < letters.length; i++) letters[i] = 65 + Math.floor(Math.random() * 26)
  return () =>
    letters
      .subarray(0, size + 1024)
      .subarray(Math.floor(Math.random() * 1024))
      .subarray(0, size)
}

if (process.argv.length === 2) print(argumentHelp(PRODUCER_PERFORMANCE))
else
  void runArgparseTool(PRODUCER_PERFORMANCE, async (given) => {
    const durationMs = given.number('--transaction-duration-ms')!
    const isTransactional = durationMs > 0
    const config = configOf(given, isTransactional)
    const payload = payloads(given)
    const producer = new Producer(config)
    const records = given.number('--num-records')!
    const topic = given.text('--topic')!
    const stats = new ProducerStats(records, Date.now())
    const counts = { sent: 0, failed: 0 }
    try {
      if (isTransactional) await producer.initTransactions()
      const pace = new Pace(realEnvironment(), given.number('--throughput')!)
      let openedMs: number | undefined
      for (let i = 0; i < records; i++) {
        const value = payload(i)
        if (isTransactional && openedMs === undefined) {
          producer.beginTransaction()
          openedMs = Date.now()
        }
        const sentMs = Date.now()
        const answer = producer.send({ topic, value }).then(
          () => {
            counts.sent++
            const nowMs = Date.now()
            const line = stats.record(nowMs - sentMs, value.length, nowMs)
            if (line !== undefined) print(line)
          },
          (error: unknown) => {
            counts.failed++
            process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
          },
        )
        pace.track(answer)
        if (openedMs !== undefined && sentMs - openedMs >= durationMs) {
          await producer.commitTransaction()
          openedMs = undefined
        }
        await pace.next()
      }
      if (openedMs !== undefined) await producer.commitTransaction()
      await producer.flush()
    } finally {
      await producer.close()
    }
    print(stats.total(Date.now()))
    if (given.has('--print-metrics')) {
      const tags = { 'client-id': config['client.id']! }
      const metric = (name: string, value: number) => ({ group: 'producer-metrics', name, tags, value })
      print(metricsTable([metric('record-send-total', counts.sent), metric('record-error-total', counts.failed)]))
    }
  })
