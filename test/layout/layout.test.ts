/**
 * Guards the layout: who may import whom, ports only, file sizes, the words that have no place here. Before you loosen a row,
 * ask whether the code stands in the wrong room.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const ROOT = resolve(__dirname, '../..')

/** Folder (longest prefix wins) to the folders that it may import from, itself included without saying so. */
const MAY_IMPORT: Record<string, string[]> = {
  protocol: [],
  runtime: [],
  network: ['protocol', 'runtime'],
  recording: ['protocol', 'runtime'],
  'zk-schema': ['network', 'protocol', 'runtime'],
  client: ['network', 'protocol', 'runtime'],
  zookeeper: ['runtime'],
  controller: ['zk-schema', 'network', 'recording', 'protocol', 'runtime'],
  'broker/metadata': ['zk-schema', 'network', 'recording', 'protocol', 'runtime'],
  'broker/config': ['zk-schema', 'network', 'recording', 'protocol', 'runtime'],
  'broker/quota': ['runtime'],
  'broker/server': ['network', 'recording', 'protocol', 'runtime'],
  'broker/log': ['recording', 'protocol', 'runtime'],
  'broker/replica': [
    'broker/log', 'broker/metadata', 'broker/config', 'broker/quota', 'zk-schema', 'network', 'recording', 'protocol', 'runtime',
  ],
  'broker/coordinator': [
    'broker/replica', 'broker/log', 'broker/metadata', 'broker/config', 'zk-schema', 'network', 'recording', 'protocol', 'runtime',
  ],
  'broker/group': [
    'broker/coordinator', 'broker/replica', 'broker/log', 'broker/metadata', 'broker/config', 'zk-schema', 'network', 'recording', 'protocol',
    'runtime',
  ],
  'broker/transaction': [
    'broker/coordinator', 'broker/replica', 'broker/log', 'broker/metadata', 'broker/config', 'zk-schema', 'network', 'recording', 'protocol',
    'runtime',
  ],
  'broker/api': [
    'broker/group', 'broker/transaction', 'broker/coordinator', 'broker/replica', 'broker/log', 'broker/metadata', 'broker/config',
    'broker/quota', 'broker/server', 'zk-schema', 'network', 'recording', 'protocol', 'runtime',
  ],
  cli: ['client', 'zk-schema', 'network', 'recording', 'protocol', 'runtime'],
}

/** They put the parts together: they may import anything but tests. */
const ROOTS = [/^index\.ts$/, /^broker\/[^/]+\.ts$/, /^zookeeper\/main\.ts$/, /^cli\/start\.ts$/, /^cli\/start\//, /^cluster\//]

/** May touch Node's clocks, files, sockets and random numbers. */
const MAY_TOUCH_THE_WORLD = [/^runtime\/real-[a-z]+\.ts$/, /^broker\/main\.ts$/, /^zookeeper\/main\.ts$/, /^cli\//, /^cluster\//, /^index\.ts$/]

const FORBIDDEN = [
  /from 'node:(fs|fs\/promises|net|tls|dgram|timers|timers\/promises|child_process|worker_threads|perf_hooks|http|https)'/,
  /require\('node:(fs|net|tls|timers|child_process|worker_threads)/,
  /\b(setTimeout|setInterval|setImmediate)\(/,
  /\bDate\.now\(/,
  /\bnew Date\(\)/,
  /\bperformance\.now\(/,
  /\bprocess\.hrtime\b/,
  /\bMath\.random\(/,
  /\brandom(Bytes|Int|UUID|FillSync)\(/,
]

const WARN_LINES = 400
const MOST_LINES = 500

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder)).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(join(ROOT, path)).isDirectory()) return sources(path)
    return path.endsWith('.ts') && !path.endsWith('.d.ts') ? [path] : []
  })
}

const FOLDERS = ['broker', 'controller', 'zk-schema', 'zookeeper', 'cli', 'client', 'cluster', 'network', 'protocol', 'recording', 'runtime']
const present = FOLDERS.filter((folder) => statSync(join(ROOT, folder), { throwIfNoEntry: false }) !== undefined)
const product = [...present.flatMap(sources), ...(statSync(join(ROOT, 'index.ts'), { throwIfNoEntry: false }) ? ['index.ts'] : [])]
const text = new Map(product.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]))

function isGenerated(path: string): boolean {
  return /^\/[/*]\*? ?Generated/i.test(text.get(path)!.trimStart())
}

function ruleOf(path: string): string | undefined {
  return Object.keys(MAY_IMPORT)
    .filter((folder) => path.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length)[0]
}

test('nobody imports what is above or beside it', () => {
  const wrong: string[] = []
  for (const [path, source] of text) {
    if (ROOTS.some((root) => root.test(path))) continue
    const rule = ruleOf(path)
    if (rule === undefined) {
      wrong.push(`${path}: in no folder of the layout`)
      continue
    }
    for (const [, target] of source.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)) {
      const imported = relative(ROOT, resolve(ROOT, dirname(path), target!))
      if (!imported.startsWith(`${rule}/`) && !MAY_IMPORT[rule]!.some((allowed) => imported.startsWith(`${allowed}/`))) {
        wrong.push(`${path} imports ${imported}`)
      }
    }
  }
  expect(wrong).toEqual([])
})

test('only the real ports and the entry points touch the world', () => {
  const wrong: string[] = []
  for (const [path, source] of text) {
    if (MAY_TOUCH_THE_WORLD.some((allowed) => allowed.test(path))) continue
    source.split('\n').forEach((line, index) => {
      const code = line.replace(/^\s*(\*|\/\/|\/\*).*$/, '')
      if (FORBIDDEN.some((pattern) => pattern.test(code))) wrong.push(`${path}:${index + 1}: ${line.trim()}`)
    })
  }
  expect(wrong).toEqual([])
})

test(`no file is longer than ${MOST_LINES} lines`, () => {
  const lengths = product.filter((path) => !isGenerated(path)).map((path) => ({ path, lines: text.get(path)!.split('\n').length }))
  const long = lengths.filter(({ lines }) => lines > WARN_LINES).map(({ path, lines }) => `${path}: ${lines} lines`)
  if (long.length > 0) process.stderr.write(`over ${WARN_LINES} lines: ${long.join(', ')}\n`)
  expect(lengths.filter(({ lines }) => lines > MOST_LINES)).toEqual([])
})

test('nothing is left for later', () => {
  const wrong = [...text].flatMap(([path, source]) =>
    source.split('\n').flatMap((line, index) => (/\b(TODO|FIXME|XXX|not implemented)\b|@ts-(ignore|nocheck)/.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  )
  expect(wrong).toEqual([])
})
