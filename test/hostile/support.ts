import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { Admin, Producer } from '../../index'
import { RawClient } from '../unit/broker/support/running-broker'
import type { Socket } from 'node:net'
import type { TestCluster } from '../../index'

/** A broker lives through each of these tests with at most this much more memory. */
export const MAX_GROWTH_BYTES = 64 * 1024 * 1024

/** Resident memory of a process, as the kernel counts it. */
export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
  return Number(line![1]) * 1024
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

/** A socket that does nothing by itself, and reads nothing until told to. */
export function socketTo(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.removeAllListeners('error')
      socket.on('error', () => {})
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

export async function socketsTo(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const some = Math.min(100, count - sockets.length)
    sockets.push(...(await Promise.all(Array.from({ length: some }, () => socketTo(port)))))
  }
  return sockets
}

/** A raw client whose every request is answered, or its connection ended, within `timeoutMs`. */
export async function answerOrEnd(client: RawClient, timeoutMs = 10_000): Promise<Buffer | undefined> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`neither an answer nor an end within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([client.next(), tooLate])
  } finally {
    clearTimeout(timer)
  }
}

/** An honest producer that goes on while others misbehave: what it waits for each record at most. */
export class HonestClient {
  longestMs = 0
  acknowledged = 0
  private going = true
  private failure: unknown
  private readonly run: Promise<void>

  constructor(cluster: TestCluster, topic: string) {
    const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': 0, 'request.timeout.ms': 20_000 })
    this.run = (async () => {
      while (this.going) {
        const start = performance.now()
        await producer.send({ topic, value: `honest ${this.acknowledged}` })
        this.longestMs = Math.max(this.longestMs, performance.now() - start)
        this.acknowledged++
        await pause(10)
      }
    })().catch((error: unknown) => {
      this.failure = error
    }).finally(() => producer.close())
  }

  /** Resolves when it was served `count` times more. */
  async served(count = 10, timeoutMs = 20_000): Promise<void> {
    const goal = this.acknowledged + count
    const deadline = performance.now() + timeoutMs
    while (this.acknowledged < goal) {
      if (this.failure !== undefined) throw this.failure
      if (performance.now() > deadline) throw new Error(`an honest client was not served within ${timeoutMs} ms`)
      await pause(10)
    }
  }

  async stop(): Promise<void> {
    this.going = false
    await this.run
    if (this.failure !== undefined) throw this.failure
  }
}

export async function createTopic(cluster: TestCluster, name: string, configs: Record<string, string> = {}): Promise<void> {
  const admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
  await admin.createTopics([{ name, partitions: 1, replicationFactor: 1, configs }])
  await admin.close()
  await cluster.waitUntilHealthy()
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
