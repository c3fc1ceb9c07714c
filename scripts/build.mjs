// Builds dist/: one bundle per program (a command starts in 60 ms), the library, and the library's types.
// `--bundles` leaves the types out.
import { build } from 'esbuild'
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

// Each program is a file `cli/<name>.ts` that calls its own main, or one of the roots below.
const programs = { broker: 'broker/main.ts', 'cleaner-worker': 'broker/cleaner-worker.ts', zookeeper: 'zookeeper/main.ts', index: 'index.ts', bench: 'bench/main.ts' }
for (const name of readdirSync(join(root, 'cli'))) {
  if (name.endsWith('.ts')) programs[name.slice(0, -3)] = `cli/${name}`
}
const entryPoints = Object.fromEntries(Object.entries(programs).filter(([, file]) => existsSync(join(root, file))))

// Not with --bundles: another run of the tests may be using them.
if (!process.argv.includes('--bundles')) rmSync(join(root, 'dist'), { recursive: true, force: true })
await build({
  absWorkingDir: root,
  entryPoints,
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  sourcemap: false,
  // The source stays in a process's memory; one character outside of ASCII (in a comment) would double it. Names and lines stay, for
  // what a stack trace says.
  minifyWhitespace: true,
  lineLimit: 130,
  legalComments: 'none',
  // Packages with native code find their binaries beside themselves.
  external: ['@node-rs/crc32', 'lz4-napi', '@cloudpss/zstd', 'koffi', 'pino-pretty'],
  logLevel: 'warning',
})
// The package's `bin` names it.
chmodSync(join(root, 'dist/start.js'), 0o755)
if (!process.argv.includes('--bundles')) buildTypes(join(root, 'dist/types'))

function buildTypes(folder) {
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'tsconfig.types.json')], { stdio: 'inherit' })
  // tsc prints what it has read; who imports the library needs what its types name.
  const needed = new Set()
  const follow = (file) => {
    if (needed.has(file)) return
    needed.add(file)
    let text = readFileSync(file, 'utf8')
    for (const [, target] of text.matchAll(/(?:from|import\()\s*['"](\.[^'"]+)['"]/g)) follow(`${join(dirname(file), target)}.d.ts`)
    // What is declared by hand stays where it is, and tsc points there.
    for (const [, target] of text.matchAll(/<reference path="([^"]+)"/g)) {
      const source = join(dirname(file), target)
      if (!relative(root, source).startsWith('dist')) {
        const copy = join(folder, relative(root, source))
        copyFileSync(source, copy)
        text = text.replace(`"${target}"`, `"./${relative(dirname(file), copy)}"`)
        writeFileSync(file, text)
        follow(copy)
      }
    }
  }
  follow(join(folder, 'index.d.ts'))
  prune(folder, needed)
}

/** Removes what is not needed; true if nothing is left. */
function prune(folder, needed) {
  const left = readdirSync(folder).filter((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory() ? !prune(path, needed) : needed.has(path)) return true
    rmSync(path, { recursive: true })
    return false
  })
  return left.length === 0
}
