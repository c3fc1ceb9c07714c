/**
 * The whole comparison of clusters:
 *   npm run test:apache [-- --all | part of a step's name ...]
 * With --all alone: one cluster of both kinds with every step, the same with each older release, the migration both ways, and Apache's
 * tools on either kind of cluster; about 50 minutes. Otherwise, or for one KAFKA_VERSION, one cluster of both kinds: see mixed.ts.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

interface Part {
  script: string
  args: readonly string[]
  version?: string
}

const given = process.argv.slice(2)
const OLDER = ['3.6.2', '3.3.2', '2.8.2']

const isWhole = given.length === 1 && given[0] === '--all' && process.env['KAFKA_VERSION'] === undefined
const parts: Part[] = isWhole
  ? [
      { script: 'mixed', args: given },
      ...OLDER.map((version) => ({ script: 'mixed', args: given, version })),
      { script: 'migration', args: given },
      { script: 'words/clusters', args: [] },
    ]
  : [{ script: 'mixed', args: given }]

const register = join(__dirname, '../support/register.cjs')
let failed = 0
for (const { script, args, version } of parts) {
  if (isWhole) process.stdout.write(`== ${script}${version === undefined ? '' : ` with ${version}`}\n`)
  const env = version === undefined ? process.env : { ...process.env, KAFKA_VERSION: version }
  const { status } = spawnSync(process.execPath, ['-r', register, join(__dirname, `${script}.ts`), ...args], { stdio: 'inherit', env })
  if (status !== 0) failed++
}
if (isWhole) process.stdout.write(`${parts.length - failed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
