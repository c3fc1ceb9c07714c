import type { Line, WordsTable } from '../table'

const HOST = '--bootstrap-server {bootstrap}'
const FILE = `${HOST} --offset-json-file {dir}/o.json`
/** Kafka's tool says the name of the file, and nothing else. */
const MISSING = { compare: ['code', 'out'], ours: /missing\.properties cannot be read/ } satisfies Partial<Line>
const TWICE = [/^(.+)\n\1\n*$/, '$1\n'] as const

function offsets(list: string): { 'o.json': string } {
  return { 'o.json': `{"partitions":[${list}],"version":1}` }
}

export const table: WordsTable = {
  tool: 'kafka-delete-records',
  class: 'org.apache.kafka.tools.DeleteRecordsCommand',
  before: [
    { class: 'org.apache.kafka.tools.TopicCommand', args: `${HOST} --create --topic shortened-{me} --partitions 1` },
    { class: 'kafka.tools.ConsoleProducer', args: `${HOST} --topic shortened-{me}`, input: 'a\nb\nc\n' },
  ],
  lines: [
    { args: '' },
    { args: '--help' },
    { args: '--version' },
    { args: '--nope' },
    { args: HOST },
    { args: '--offset-json-file x' },
    { args: FILE, files: offsets('{"topic":"shortened-{me}","partition":0,"offset":1}') },
    { args: FILE, files: offsets('{"topic":"shortened-{me}","partition":0,"offset":-1}') },
    { args: FILE, files: offsets('{"topic":"shortened-{me}","partition":0,"offset":99}') },
    { args: FILE, files: offsets('{"topic":"t","partition":0,"offset":1},{"topic":"t","partition":0,"offset":2}') },
    { args: FILE, files: offsets('') },
    { args: FILE, files: { 'o.json': '{"version":2,"partitions":[]}' } },
    { args: FILE, files: { 'o.json': '{"version":1}' } },
    { args: FILE, files: { 'o.json': 'no json' } },
    { args: FILE, files: { 'o.json': '' } },
    { args: `${HOST} --offset-json-file {dir}/missing.json` },
    { args: `${FILE} --command-config {dir}/missing.properties`, ...MISSING },
  ].map((line) => ({ ...line, changes: [TWICE] })),
}
