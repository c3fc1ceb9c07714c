import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { createLogger } from '../../../runtime/log'

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

test('a line shows the beginning of a text that a stranger chose', () => {
  const lines: string[] = []
  const logger = createLogger({ level: 'info', name: 'test', stream: { write: (line) => void lines.push(line) } })
  logger.info({ groupId: 'g'.repeat(30_000), count: 3, short: 's', err: new Error('kept') }, 'joined')
  const { groupId, count, short, err, msg } = JSON.parse(lines[0]!) as Record<string, unknown> & { err: { message: string } }
  expect(groupId).toBe(`${'g'.repeat(1000)}... (30000 characters)`)
  expect([count, short, err.message, msg]).toEqual([3, 's', 'kept', 'joined'])
})
