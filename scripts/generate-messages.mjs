// Prints protocol/messages/*.ts from Kafka's message definitions.
//
//   node scripts/generate-messages.mjs --kafka /path/to/kafka.git --tag 3.9.0 [--out protocol/messages]
//   node scripts/generate-messages.mjs --definitions /folder/of/json [--out protocol/messages]    (as they lie in Kafka's jars)
//
// Only facts are taken over: names, types, version ranges, tags, defaults. Nothing is checked out.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { apiFiles, dataFiles, definitionFolders, readDefinition, tableFile } from './message-tables.mjs'

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`)
  const value = at < 0 ? fallback : process.argv[at + 1]
  if (value === undefined) {
    console.error('usage: node scripts/generate-messages.mjs (--kafka <git directory> --tag <tag> | --definitions <folder>) [--out <folder>]')
    process.exit(2)
  }
  return value
}

const out = option('out', 'protocol/messages')
const load = process.argv.includes('--definitions') ? fromFolder(option('definitions')) : fromGit(option('kafka'), option('tag'))

function fromFolder(folder) {
  return (name) => readDefinition(readFileSync(join(folder, `${name}.json`), 'utf8'))
}

function fromGit(kafka, tag) {
  const git = (...args) => execFileSync('git', ['-C', kafka, ...args], { encoding: 'utf8', maxBuffer: 1 << 26 })
  const paths = new Map()
  for (const path of git('ls-tree', '-r', '--name-only', tag, ...definitionFolders).split('\n')) {
    const name = /([A-Za-z]+)\.json$/.exec(path)
    if (name) paths.set(name[1], path)
  }
  return (name) => readDefinition(git('show', `${tag}:${paths.get(name) ?? `${name}.json`}`))
}

mkdirSync(out, { recursive: true })
let count = 0
for (const [file, names] of [...apiFiles, ...dataFiles]) {
  writeFileSync(join(out, `${file}.ts`), tableFile(names.map(load)))
  count++
}
console.log(`${count} files written to ${out}`)
