// Simulates whole clusters, many seeds: `npm run simulate -- --seeds N --from S [--brokers N] [--rounds N] [--lines N] [--twice]`.
import { build } from 'esbuild'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const folder = mkdtempSync(join(tmpdir(), 'prekraft-simulate-'))
// Packages with native code find their binaries beside themselves.
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
const outfile = join(folder, 'simulate.cjs')
await build({
  absWorkingDir: root,
  entryPoints: ['test/simulation/simulate.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  sourcemap: 'inline',
  external: ['@node-rs/crc32', 'lz4-napi', '@cloudpss/zstd', 'koffi', 'pino-pretty'],
  logLevel: 'warning',
})
const child = spawn(process.execPath, ['--enable-source-maps', outfile, ...process.argv.slice(2)], { stdio: 'inherit' })
child.on('exit', (code) => {
  rmSync(folder, { recursive: true, force: true })
  process.exitCode = code ?? 1
})
