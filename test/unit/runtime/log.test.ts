import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'

const root = join(__dirname, '../../..')

const testFull = existsSync('/dev/full') ? test : test.skip

testFull('a process goes on when its log cannot be written', () => {
  const full = openSync('/dev/full', 'w')
  const program = `
    const { createLogger } = require('./runtime/log.ts')
    const logger = createLogger({ level: 'info', name: 'test' })
    for (let i = 0; i < 20_000; i++) logger.info({ i, text: 'x'.repeat(1000) }, 'written to a full disk')
    process.stderr.write(String(process.memoryUsage().rss < 300e6))`
  const { status, stderr } = spawnSync(process.execPath, ['-r', './test/support/register.cjs', '-e', program], { cwd: root, stdio: ['ignore', full, 'pipe'] })
  closeSync(full)
  expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: 'true' })
})
