import { failover } from './failover'

const [what = 'failover', size = '1000'] = process.argv.slice(2)

async function main(): Promise<void> {
  if (what === 'failover') await failover(Number(size))
  else throw new Error(`there is no bench ${what}: failover [partitions]`)
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
