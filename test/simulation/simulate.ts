/** `npm run simulate -- --seeds N --from S [--brokers N] [--rounds N] [--lines N] [--twice] [--coordinators]`: many seeds, by hand. */
import { StoryError, tell } from './cluster/story'

function option(name: string, fallback: number): number {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? fallback : Number(process.argv[at + 1])
}

async function main(): Promise<void> {
  const from = option('from', 1)
  const seeds = option('seeds', 20)
  const options = { brokers: option('brokers', 3), rounds: option('rounds', 12), coordinators: process.argv.includes('--coordinators') }
  const failed: number[] = []
  let virtualMs = 0
  for (let seed = from; seed < from + seeds; seed++) {
    const startedMs = Date.now()
    try {
      const result = await tell(seed, options)
      virtualMs += result.virtualMs
      const again = process.argv.includes('--twice') ? (await tell(seed, options)).hash : result.hash
      if (again !== result.hash) throw new Error(`seed ${seed} tells two stories`)
      const { steps, acknowledged, failed: unanswered, faults, transactions } = result
      console.log(
        `seed ${seed}: ${steps} steps, ${(result.virtualMs / 1000).toFixed(0)} s in ${Date.now() - startedMs} ms, ${acknowledged} acknowledged, ` +
          `${unanswered} failed, ${result.administered} administered, ${transactions} transactions, ${JSON.stringify(faults)} ${result.hash.slice(0, 8)}`)
    } catch (error) {
      failed.push(seed)
      const lines = error instanceof StoryError ? error.lines.slice(-option('lines', 0)) : []
      if (option('lines', 0) > 0) console.log(lines.join('\n'))
      console.log(`FAILED ${(error as Error).message.split('\n').slice(0, 6).join('\n')}`)
    }
  }
  console.log(`${seeds} seeds, ${(virtualMs / 3_600_000).toFixed(2)} virtual hours, failed: ${failed.join(' ') || 'none'}`)
  process.exitCode = failed.length > 0 ? 1 : 0
}

void main()
