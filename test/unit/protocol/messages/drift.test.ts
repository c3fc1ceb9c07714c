import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ErrorCode, errorTexts, retriableCodes, staleMetadataCodes } from '../../../../protocol/error-table'

/**
 * The committed tables are what the scripts print: KAFKA_JARS=<folder with Kafka's jars> (a JDK opens them), or
 * KAFKA_REPO=<git directory of apache/kafka> KAFKA_TAG=3.9.0, npx jest drift.
 */
const repository = process.env['KAFKA_REPO']
const tag = process.env['KAFKA_TAG'] ?? '3.9.0'
const jars = process.env['KAFKA_JARS']
/** `jar` of whatever JDK `java` is of. */
const JAR_TOOL = ['-m', 'jdk.jartool/sun.tools.jar.Main']
const root = join(__dirname, '../../../..')
const DEFINING = /^kafka-(clients|group-coordinator|transaction-coordinator)-\d[\d.]*\.jar$/

const script = (name: string, ...args: string[]): string => execFileSync('node', [join(root, 'scripts', name), ...args], { encoding: 'utf8' })
const ofRepository = ['--kafka', repository ?? '', '--tag', tag]

function compareTables(source: (folder: string) => string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'tables-'))
  try {
    const out = join(folder, 'out')
    script('generate-messages.mjs', ...source(folder), '--out', out)
    const files = readdirSync(out)
    expect(files.length).toBe(68)
    for (const file of files) expect(readFileSync(join(root, 'protocol/messages', file), 'utf8')).toBe(readFileSync(join(out, file), 'utf8'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const withJars = jars === undefined ? test.skip : test
const withRepository = repository === undefined ? test.skip : test

withJars('the message tables are those in Kafka’s jars (needs KAFKA_JARS)', () => {
  const found = readdirSync(jars!).filter((name) => DEFINING.test(name))
  expect(found.length).toBe(3)
  compareTables((folder) => {
    for (const name of found) execFileSync('java', [...JAR_TOOL, '--extract', '--file', join(jars!, name), 'common/message'], { cwd: folder })
    return ['--definitions', join(folder, 'common/message')]
  })
}, 60_000)

withJars('the error table is that of Kafka’s jars (needs KAFKA_JARS)', () => {
  const printed = execFileSync('java', ['-XX:TieredStopAtLevel=1', '-cp', join(jars!, '*'), join(__dirname, 'ErrorTable.java')], { encoding: 'utf8' })
  const ours = Object.entries(ErrorCode).map(([name, code]) =>
    [code, name, retriableCodes.has(code), staleMetadataCodes.has(code), errorTexts[code] ?? ''].join('\t'))
  expect(ours).toEqual(printed.trimEnd().split('\n'))
}, 60_000)

withRepository('the message tables are those of Kafka (needs KAFKA_REPO)', () => compareTables(() => ofRepository), 60_000)

withRepository('the error table is that of Kafka (needs KAFKA_REPO)', () => {
  expect(readFileSync(join(root, 'protocol/error-table.ts'), 'utf8')).toBe(script('generate-errors.mjs', ...ofRepository))
})
