import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** KAFKA_REPO=<git directory of apache/kafka> KAFKA_TAG=3.9.0 npx jest drift: the committed tables are what the scripts print. */
const repository = process.env['KAFKA_REPO']
const tag = process.env['KAFKA_TAG'] ?? '3.9.0'
const root = join(__dirname, '../../../..')
const run = repository === undefined ? test.skip : test

const script = (name: string, ...args: string[]): string =>
  execFileSync('node', [join(root, 'scripts', name), '--kafka', repository as string, '--tag', tag, ...args], {
    encoding: 'utf8',
  })

run(
  'the message tables are those of Kafka (needs KAFKA_REPO)',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'tables-'))
    try {
      script('generate-messages.mjs', '--out', folder)
      const files = readdirSync(folder)
      expect(files.length).toBe(68)
      for (const file of files) {
        expect(readFileSync(join(root, 'protocol/messages', file), 'utf8')).toBe(readFileSync(join(folder, file), 'utf8'))
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
  60_000,
)

run('the error table is that of Kafka (needs KAFKA_REPO)', () => {
  expect(readFileSync(join(root, 'protocol/error-table.ts'), 'utf8')).toBe(script('generate-errors.mjs'))
})
