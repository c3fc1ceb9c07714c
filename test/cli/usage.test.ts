/** Every script of bin/ starts, and says what it can do. */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

const ROOT = resolve(__dirname, '../..')
/** They take no options, or ask for the server alone. */
const WITHOUT_OPTIONS = [
  /^(kafka|zookeeper)-server-(start|stop)\.sh$/,
  /^zookeeper-shell\.sh$/,
  /^prekraft-/,
  /^kafka-e2e-latency\.sh$/,
]
const scripts = readdirSync(join(ROOT, 'bin')).filter((name) => !WITHOUT_OPTIONS.some((pattern) => pattern.test(name)))

function run(name: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((done) => {
    execFile(join(ROOT, 'bin', name), args, (error, out, err) =>
      done({ code: error === null ? 0 : Number(error.code), out, err }),
    )
  })
}

test.each(scripts)('%s --help', async (name) => {
  const { code, out, err } = await run(name, '--help')
  expect(out + err).toMatch(/^(Option( \(\* = required\))? {2,}Description|usage: [\w-]+(\.sh)? )/m)
  expect(out + err).not.toMatch(/^ +at /m)
  expect([0, 1]).toContain(code)
})

test.each(scripts)('%s with an option that there is not', async (name) => {
  const { code, out, err } = await run(name, '--no-such-option')
  expect([code, out + err]).toEqual([
    1,
    expect.stringMatching(/no-such-option|is required|[Mm]issing required|too few arguments/),
  ])
})

test('kafka-e2e-latency', async () => {
  const { code, err } = await run('kafka-e2e-latency.sh')
  expect([code, err]).toEqual([
    1,
    expect.stringMatching(/^USAGE: java org\.apache\.kafka\.tools\.EndToEndLatency broker_list topic /),
  ])
})
