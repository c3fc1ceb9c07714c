import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ErrorCode, errorTexts, retriableCodes, staleMetadataCodes } from '../../../../protocol/error-table'

/** The committed tables are those of Kafka: KAFKA_JARS=<folder with its jars> npx jest drift (a JDK opens them). */
const jars = process.env['KAFKA_JARS']
/** `jar` of whatever JDK `java` is of. */
const JAR_TOOL = ['-m', 'jdk.jartool/sun.tools.jar.Main']
const root = join(__dirname, '../../../..')
const DEFINING = /^kafka-(clients|group-coordinator|transaction-coordinator)-\d[\d.]*\.jar$/

const withJars = jars === undefined ? test.skip : test

withJars('the message tables are those in Kafka’s jars (needs KAFKA_JARS)', () => {
  const found = readdirSync(jars!).filter((name) => DEFINING.test(name))
  expect(found.length).toBe(3)
  const folder = mkdtempSync(join(tmpdir(), 'tables-'))
  try {
    for (const name of found) execFileSync('java', [...JAR_TOOL, '--extract', '--file', join(jars!, name), 'common/message'], { cwd: folder })
    const out = join(folder, 'out')
    execFileSync('node', [join(root, 'scripts/generate-messages.mjs'), '--definitions', join(folder, 'common/message'), '--out', out])
    const files = readdirSync(out)
    expect(files.length).toBe(68)
    for (const file of files) expect(readFileSync(join(root, 'protocol/messages', file), 'utf8')).toBe(readFileSync(join(out, file), 'utf8'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}, 60_000)

withJars('the error table is that of Kafka’s jars (needs KAFKA_JARS)', () => {
  const printed = execFileSync('java', ['-XX:TieredStopAtLevel=1', '-cp', join(jars!, '*'), join(__dirname, 'ErrorTable.java')], { encoding: 'utf8' })
  const ours = Object.entries(ErrorCode).map(([name, code]) =>
    [code, name, retriableCodes.has(code), staleMetadataCodes.has(code), errorTexts[code] ?? ''].join('\t'))
  expect(ours).toEqual(printed.trimEnd().split('\n'))
}, 60_000)
