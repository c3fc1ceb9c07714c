/**
 * The log cleaner: how fast it is, what memory it takes, and above all how long the event loop beside it stands still while it
 * cleans 1 GB. Once in a thread, as in a broker, and once on the loop, as in the simulator; before that the same traffic without.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { DEFAULT_CLEANER_CONFIG } from '../broker/log/cleaner/cleaner-config'
import { ThreadCleanerPool } from '../broker/log/cleaner/thread-cleaner-pool'
import { LogManager } from '../broker/log/log-manager'
import { roll } from '../broker/log/roll'
import { Codec } from '../protocol/records/batch'
import { compress } from '../protocol/records/compression'
import { BatchBuilder } from '../protocol/records/records'
import { topicConfig } from '../protocol/rules/topic-config'
import { realEnvironment } from '../runtime/real'
import { threadsRunning } from '../runtime/real-threads'
import type { CleanerPool } from '../broker/log/cleaner/cleaner-pool'
import type { Log } from '../broker/log/log'

const SAMPLE_MS = 1
const RECORDS_PER_BATCH = 100
const SEGMENT_BYTES = 128 * 1024 * 1024

interface Kind {
  name: string
  bytes: number
  keys: number
  valueBytes: number
  codec: Codec
}

/** `keys`: of which the records have one at random. */
const KINDS: Kind[] = [
  { name: '1 GB of 1 KiB records, 200,000 keys', bytes: 1e9, keys: 200_000, valueBytes: 1000, codec: Codec.none },
  { name: '1 GB of 100 B records, 2,000,000 keys', bytes: 1e9, keys: 2_000_000, valueBytes: 60, codec: Codec.none },
  { name: '250 MB of 1 KiB records in lz4', bytes: 250e6, keys: 200_000, valueBytes: 1000, codec: Codec.lz4 },
]

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Appends and reads as from clients, so that there is something to be held up; every 5 ms. */
function traffic(log: Log): () => void {
  const batch = new BatchBuilder().append(Buffer.from('k'), Buffer.alloc(16_000, 97), [], Date.now()).build()
  const timer = setInterval(() => {
    for (let i = 0; i < 4; i++) log.appendAsLeader(Buffer.from(batch), { leaderEpoch: 0, origin: 'client' })
    log.updateHighWatermark(log.endOffset)
    log.read(Math.max(log.endOffset - 20, 0), 200_000, { upTo: 'highWatermark', minOneMessage: true }).release()
  }, 5)
  return () => clearInterval(timer)
}

interface Pauses {
  p99Ms: number
  p999Ms: number
  worstMs: number
}

async function measured<T>(work: () => Promise<T>): Promise<{ pauses: Pauses; result: T; seconds: number; peakMiB: number }> {
  const delay = monitorEventLoopDelay({ resolution: SAMPLE_MS })
  let peak = 0
  const sampler = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 100)
  delay.enable()
  const start = performance.now()
  const result = await work()
  const seconds = (performance.now() - start) / 1000
  delay.disable()
  clearInterval(sampler)
  const beyond = (nanoseconds: number) => Math.max(nanoseconds / 1e6 - SAMPLE_MS, 0)
  const pauses = { p99Ms: beyond(delay.percentile(99)), p999Ms: beyond(delay.percentile(99.9)), worstMs: beyond(delay.max) }
  return { pauses, result, seconds, peakMiB: peak / 2 ** 20 }
}

async function fill(log: Log, kind: Kind): Promise<number> {
  let written = 0
  for (let batches = 0; written < kind.bytes; batches++) {
    const builder = new BatchBuilder({ codec: kind.codec }, RECORDS_PER_BATCH * (kind.valueBytes + 60))
    for (let i = 0; i < RECORDS_PER_BATCH; i++) {
      const key = Buffer.from(`key-${Math.floor(Math.random() * kind.keys)}`.padEnd(16))
      builder.append(key, Buffer.alloc(kind.valueBytes, 97 + (i % 26)), [], Date.now())
    }
    const batch = builder.build()
    written += RECORDS_PER_BATCH * kind.valueBytes
    log.appendAsLeader(batch, { leaderEpoch: 0, origin: 'coordinator' })
    if (batches % 100 === 0) await sleep(0)
  }
  log.updateHighWatermark(log.endOffset)
  log.writeStaged()
  roll(log)
  await log.flush()
  return log.size
}

async function one(kind: Kind, where: 'thread' | 'loop'): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'prekraft-cleaner-'))
  const pool: CleanerPool | undefined = where === 'thread' ? new ThreadCleanerPool(threadsRunning(join(__dirname, 'cleaner-worker.js'))) : undefined
  const plain = topicConfig({ 'segment.bytes': String(SEGMENT_BYTES), 'file.delete.delay.ms': '1000' })
  const manager = await LogManager.open(realEnvironment(), {
    dirs: [directory],
    defaults: plain,
    transactionVerification: false,
    cleaner: { ...DEFAULT_CLEANER_CONFIG, backoffMs: 100 },
    ...(pool === undefined ? {} : { cleanerPool: pool }),
  })
  try {
    const log = manager.getOrCreate('compacted', 0)
    const size = await fill(log, kind)
    const busy = manager.getOrCreate('busy', 0)
    const stop = traffic(busy)
    await sleep(500)
    const idle = await measured(() => sleep(5000))
    const before = process.cpuUsage()
    const rssMiB = process.memoryUsage.rss() / 2 ** 20
    manager.updateTopicConfig('compacted', { ...plain, cleanupPolicy: ['compact'], minCleanableDirtyRatio: 0.1 })
    const cleaning = await measured(async () => {
      while (log.cleanedOffset === undefined || manager.cleaner!.running > 0) await sleep(10)
    })
    const cpu = process.cpuUsage(before)
    stop()
    const stats = manager.cleaner!.lastStats!
    const show = ({ p99Ms, p999Ms, worstMs }: Pauses) => `p99 ${p99Ms.toFixed(1)}, p99.9 ${p999Ms.toFixed(1)}, worst ${worstMs.toFixed(1)} ms`
    const line = (text: string) => process.stdout.write(`${text}\n`)
    line(`${kind.name}, cleaned ${where === 'thread' ? 'in a thread' : 'on the loop'}`)
    line(`  ${(size / 1e6).toFixed(0)} MB to ${(log.size / 1e6).toFixed(0)} MB, ${stats.messagesRead} to ${stats.messagesWritten} records`)
    line(`  ${cleaning.seconds.toFixed(1)} s, ${(size / 1e6 / cleaning.seconds).toFixed(0)} MB/s, `
      + `${((cpu.user + cpu.system) / 1e6 / (size / 1e9)).toFixed(1)} CPU s/GB with the traffic`)
    line(`  pauses of the loop: without ${show(idle.pauses)}; while cleaning ${show(cleaning.pauses)}`)
    line(`  resident: before ${rssMiB.toFixed(0)} MiB, at most ${cleaning.peakMiB.toFixed(0)} MiB; the offset map ${(stats.mapBytes / 2 ** 20).toFixed(0)} MiB`)
  } finally {
    await manager.shutdown(false)
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Prints what was measured; `which`: the number of a kind, or all. */
export async function cleaner(which?: number): Promise<void> {
  // CRC and codecs are loaded by now.
  compress(Codec.lz4, Buffer.alloc(10))
  for (const [index, kind] of KINDS.entries()) {
    if (which !== undefined && which !== index) continue
    await one(kind, 'thread')
    if (index === 0) await one(kind, 'loop')
  }
}
