import { cleaner } from './cleaner'
import { clients } from './clients'
import { commands } from './commands'
import { coordinators } from './coordinators'
import { dataPath } from './data-path'
import { failover } from './failover'
import { latency } from './latency'
import { pauses } from './pauses'
import { recording } from './recording'
import { Table, load, machine } from './table'
import { startTime } from './start-time'

const SIZES = [12, 1000, 5000]

/** Parts of the table, in its order, and what they consist of. */
const PARTS: Record<string, (table: Table, numbers: readonly number[]) => (() => Promise<void>)[]> = {
  start: (table) => [() => startTime(table)],
  commands: (table) => [() => commands(table)],
  clients: (table) => [() => clients(table)],
  latency: (table) => [() => latency(table)],
  failover: (table, sizes) => (sizes.length === 0 ? SIZES : sizes).map((partitions) => () => failover(table, partitions)),
}

/** Benches with a form of their own. */
const OTHERS: Record<string, (arg: number | undefined) => Promise<void>> = {
  coordinators, 'data-path': dataPath, cleaner, recording, pauses,
}

const USAGE = `npm run bench [-- part ...] [--alone]
  without a part: the whole table, beside Apache Kafka (Java and Maven, for its jars; --alone: without)
  parts of it:    ${Object.keys(PARTS).join(', ')} [partitions ...]
  others:         ${Object.keys(OTHERS).join(', ')} [kind]`

async function main(): Promise<void> {
  const words = process.argv.slice(2).filter((word) => !word.startsWith('--'))
  const numbers = words.filter((word) => /^\d+$/.test(word)).map(Number)
  const names = words.filter((word) => !/^\d+$/.test(word))
  const other = OTHERS[names[0] ?? '']
  if (other !== undefined) return other(numbers[0])
  if (process.argv.includes('--help') || names.some((name) => PARTS[name] === undefined)) {
    process.stderr.write(`${USAGE}\n`)
    process.exitCode = process.argv.includes('--help') ? 0 : 1
    return
  }
  const table = new Table()
  const began = `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`
  const loadBefore = load()
  for (const [name, part] of Object.entries(PARTS)) {
    if (names.length > 0 && !names.includes(name)) continue
    for (const run of part(table, numbers)) {
      try {
        await run()
      } catch (error) {
        // The rest of the table is still worth having.
        process.stderr.write(`${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
        process.exitCode = 1
      }
    }
  }
  process.stdout.write(`${machine()}; ${began}; load of the machine before: ${loadBefore}\n\n${table.toString()}\n`)
}

// What was started ends with this process, what was written goes.
process.setMaxListeners(0)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

main().then(
  () => process.exit(),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(1)
  },
)
