import { mkdirSync, mkdtempSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { whyNoApache } from './jars'
import type { Server } from 'node:net'

/** Below the ports that the system gives to outgoing connections: a broker shall find its own free when it starts again. */
const FIRST_PORT = 12_000
const LAST_PORT = 32_000
const BLOCK = 16
const BLOCKS = (LAST_PORT - FIRST_PORT) / BLOCK

/** The first ports of the blocks that this process holds, for as long as it lives. */
const held: Server[] = []

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.unref()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

async function isFree(port: number): Promise<boolean> {
  const server = await listen(port)
  if (server === undefined) return false
  await new Promise((resolve) => server.close(resolve))
  return true
}

async function freeBlock(): Promise<number[]> {
  const first = Math.floor(Math.random() * BLOCKS)
  for (let i = 0; i < BLOCKS; i++) {
    const [guard, ...ports] = Array.from({ length: BLOCK }, (_, n) => FIRST_PORT + ((first + i) % BLOCKS) * BLOCK + n)
    const server = await listen(guard!)
    if (server === undefined) continue
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) {
      held.push(server)
      return ports
    }
    server.close()
  }
  throw new Error(`no ${BLOCK} free ports in a row from ${FIRST_PORT} to ${LAST_PORT}`)
}

/** Ports on which nobody listens, and that no other process that asks here will get while this one lives. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) ports.push(...(await freeBlock()))
  return ports.slice(0, count)
}

export interface Frame {
  /** Its own, for data and logs; it stays. MIXED_DIR: another one. */
  readonly dir: string
  readonly args: readonly string[]
  /** Done when the program is over, however it ends; what was named last is done first. */
  atEnd(act: () => Promise<void>): void
}

/**
 * The frame of every program beside Apache Kafka: `act` gives the exit code. Says 'skipped: why' where there is no Apache Kafka
 * to be had; ends what it has begun after an error, SIGINT and SIGTERM, too.
 */
export function besideApache(name: string, act: (frame: Frame) => Promise<number>): void {
  const ends: (() => Promise<void>)[] = []
  let ending: Promise<void> | undefined
  const end = (): Promise<void> => {
    ending ??= (async () => {
      for (let one = ends.pop(); one !== undefined; one = ends.pop())
        await one().catch((error: unknown) => process.stderr.write(`at the end: ${String(error)}\n`))
    })()
    return ending
  }
  const main = async (): Promise<number> => {
    const why = whyNoApache()
    if (why !== undefined) {
      process.stdout.write(`skipped: ${why}\n`)
      return 0
    }
    const dir = process.env.MIXED_DIR ?? mkdtempSync(join(tmpdir(), `${name}-`))
    mkdirSync(dir, { recursive: true })
    for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const)
      process.once(signal, () => void end().finally(() => process.exit(code)))
    try {
      return await act({ dir, args: process.argv.slice(2), atEnd: (one) => void ends.push(one) })
    } finally {
      await end()
    }
  }
  main().then(
    (code) => process.exit(code),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
      process.exit(1)
    },
  )
}
