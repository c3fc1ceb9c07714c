// Completes package-lock.json with the optional packages that the registry at hand did not have (binaries for foreign platforms):
// npm leaves them out when it writes the lock, and then `npm ci` refuses it ("Missing: ... from lock file").
//   node scripts/lock-optional.mjs            after each `npm install`: adds what is missing
//   node scripts/lock-optional.mjs --check    only says what is missing; exit code 1 if there is something
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const PROCESSORS = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']
/** How packages name a processor that Node calls otherwise. */
const ALIASES = { armv7: 'arm', 'arm-eabi': 'arm', x86_64: 'x64', aarch64: 'arm64', ppc64le: 'ppc64' }

/** The optional dependencies of locked packages that are not locked themselves. */
export function missingOptionalPackages(lock) {
  const missing = new Map()
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (!isLocked(lock, path, name)) missing.set(name, version)
    }
  }
  return missing
}

/** As Node looks for it: in node_modules beside the package that asks, then in each folder above. */
function isLocked({ packages }, path, name) {
  for (let folder = path; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('node_modules/') - 1, 0))) {
    if (packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`] !== undefined) return true
    if (folder === '') return false
  }
}

/** What npm would have written, read off the package's name: it installs the package only where both fit. */
export function platformEntry(name, version) {
  if (!/^\d/.test(version)) throw new Error(`${name}@${version}: only an exact version can be locked`)
  let words = `-${name.split('/').at(-1)}-`
  for (const [alias, processor] of Object.entries(ALIASES)) words = words.replace(`-${alias}-`, `-${processor}-`)
  const entry = { version, optional: true }
  const cpu = PROCESSORS.filter((each) => words.includes(`-${each}-`))
  const os = SYSTEMS.filter((each) => words.includes(`-${each}-`))
  if (cpu.length === 0 && os.length === 0) throw new Error(`${name}: its name does not say for which platform it is; add it to the lock by hand`)
  return { ...entry, ...(cpu.length > 0 ? { cpu } : {}), ...(os.length > 0 ? { os } : {}) }
}

function main() {
  const file = join(dirname(fileURLToPath(import.meta.url)), '..', 'package-lock.json')
  const lock = JSON.parse(readFileSync(file, 'utf8'))
  const missing = [...missingOptionalPackages(lock)]
  for (const [name] of missing) console.log(`${name} is missing from the lock`)
  if (missing.length === 0) return
  if (process.argv.includes('--check')) {
    process.exitCode = 1
    return
  }
  for (const [name, version] of missing) lock.packages[`node_modules/${name}`] = platformEntry(name, version)
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
