import { cleaner } from './cleaner'
import { coordinators } from './coordinators'
import { dataPath } from './data-path'
import { failover } from './failover'

const [what = 'failover', size = '1000'] = process.argv.slice(2)

async function main(): Promise<void> {
  if (what === 'failover') await failover(Number(size))
  else if (what === 'data-path') await dataPath()
  else if (what === 'coordinators') await coordinators()
  else if (what === 'cleaner') await cleaner(process.argv[3] === undefined ? undefined : Number(size))
  else throw new Error(`there is no bench ${what}: failover [partitions], data-path, coordinators, cleaner [kind]`)
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
