/** What the package promises to those who install it: names, scripts, a lock that npm ci accepts. */
import { execFile, execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const ROOT = resolve(__dirname, '../..')
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  bin: Record<string, string>
  files: string[]
  exports: Record<string, unknown>
}
const tools = readdirSync(join(ROOT, 'cli'))
  .filter((name) => name.endsWith('.ts') && name !== 'start.ts')
  .map((name) => name.slice(0, -3))

test('every tool has its script, and every script its name', () => {
  const scripts = readdirSync(join(ROOT, 'bin'))
  expect(scripts).toEqual(expect.arrayContaining(tools.map((name) => `${name}.sh`)))
  const { prekraft, ...others } = manifest.bin
  expect(prekraft).toBe('dist/start.js')
  expect(others).toEqual(Object.fromEntries(scripts.map((name) => [name, `bin/${name}`])))
  for (const name of scripts) expect([name, statSync(join(ROOT, 'bin', name)).mode & 0o111]).toEqual([name, 0o111])
})

test('the scripts of the tools are one and the same', () => {
  const texts = new Set(tools.map((name) => readFileSync(join(ROOT, 'bin', `${name}.sh`), 'utf8')))
  expect(texts.size).toBe(1)
})

test('what is packed: the programs, the scripts, the configuration', () => {
  expect(manifest.files).toEqual(expect.arrayContaining(['dist', 'bin', 'config']))
  expect(readFileSync(join(ROOT, 'dist/start.js'), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
  expect(statSync(join(ROOT, 'dist/start.js')).mode & 0o111).toBe(0o111)
})

test('the lock holds the binaries for every platform, so that npm ci accepts it everywhere', async () => {
  const out = execFileSync(process.execPath, [join(ROOT, 'scripts/lock-optional.mjs'), '--check'], { encoding: 'utf8' })
  expect(out).toBe('')
})

describe('a script', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'prekraft-scripts-'))
    mkdirSync(join(folder, 'package/bin'), { recursive: true })
    mkdirSync(join(folder, 'links'))
    copyFileSync(join(ROOT, 'bin/kafka-topics.sh'), join(folder, 'package/bin/kafka-topics.sh'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function run(file: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
    return new Promise((done) => {
      execFile(file, args, (error, out, err) => done({ code: error === null ? 0 : Number(error.code), out, err }))
    })
  }

  test('finds its program through links, absolute and relative', async () => {
    symlinkSync(join(ROOT, 'dist'), join(folder, 'package/dist'))
    symlinkSync('../package/bin/kafka-topics.sh', join(folder, 'links/topics'))
    symlinkSync(join(folder, 'links/topics'), join(folder, 'again'))
    for (const file of ['links/topics', 'again', 'package/bin/kafka-topics.sh']) {
      expect(await run(join(folder, file), '--version')).toEqual({ code: 0, out: '3.9.1\n', err: '' })
    }
  })

  test('says what to do where nothing was built', async () => {
    const { code, err } = await run(join(folder, 'package/bin/kafka-topics.sh'), '--list')
    expect(code).toBe(1)
    expect(err).toMatch(/dist\/kafka-topics\.js is missing: run npm ci first/)
  })
})

describe('the lock script', () => {
  // An ES module, which this test cannot import.
  const evaluate = (expression: string): unknown => {
    const module = JSON.stringify(join(ROOT, 'scripts/lock-optional.mjs'))
    const code = `import(${module}).then((m) => console.log(JSON.stringify(${expression})))`
    return JSON.parse(execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' }))
  }

  test('finds what is missing, and reads the platform off its name', () => {
    const lock = JSON.stringify({
      packages: {
        'node_modules/a': { optionalDependencies: { '@a/linux-x64-gnu': '1.0.0', '@a/win32-arm64-msvc': '1.0.0' } },
        'node_modules/a/node_modules/@a/linux-x64-gnu': { version: '1.0.0' },
      },
    })
    expect(evaluate(`[...m.missingOptionalPackages(${lock})]`)).toEqual([['@a/win32-arm64-msvc', '1.0.0']])
    expect(evaluate("m.platformEntry('@a/binding-android-arm-eabi', '2.0.0')")).toEqual({
      version: '2.0.0',
      optional: true,
      cpu: ['arm'],
      os: ['android'],
    })
    expect(evaluate("m.platformEntry('@a/wasm32-wasi', '2.0.0')")).toEqual({ version: '2.0.0', optional: true, cpu: ['wasm32'] })
  })
})

test('the library can be imported and required', () => {
  expect(existsSync(join(ROOT, 'dist/index.js'))).toBe(true)
  const names = 'Admin,Consumer,Producer,startCluster,startZooKeeper'
  const check = `for (const name of '${names}'.split(',')) if (typeof m[name] !== 'function') throw new Error(name)`
  execFileSync(process.execPath, ['-e', `const m = require('prekraft'); ${check}`], { cwd: ROOT })
  const imported = names.split(',').join(', ')
  execFileSync(process.execPath, ['--input-type=module', '-e', `import { ${imported} } from 'prekraft'; const m = { ${imported} }; ${check}`], {
    cwd: ROOT,
  })
})
