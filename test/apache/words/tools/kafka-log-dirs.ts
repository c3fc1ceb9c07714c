import type { Line, WordsTable } from '../table'

const HOST = '--bootstrap-server {bootstrap}'
/** Kafka's tool says the name of the file, and nothing else. */
const MISSING = { compare: ['code', 'out'], ours: /missing\.properties cannot be read/ } satisfies Partial<Line>
const TWICE = [/^(.+)\n\1\n*$/, '$1\n'] as const

export const table: WordsTable = {
  tool: 'kafka-log-dirs',
  class: 'org.apache.kafka.tools.LogDirsCommand',
  before: [
    { class: 'org.apache.kafka.tools.TopicCommand', args: `${HOST} --create --topic stored-{me} --partitions 1` },
    { class: 'kafka.tools.ConsoleProducer', args: `${HOST} --topic stored-{me}`, input: 'a\n' },
  ],
  lines: [
    { args: '' },
    { args: '--help' },
    { args: '--version' },
    { args: '--nope' },
    { args: HOST },
    { args: '--describe' },
    { args: `${HOST} --describe --topic-list stored-{me}` },
    { args: `${HOST} --describe --topic-list no-such` },
    { args: `${HOST} --describe --topic-list stored-{me},no-such --broker-list 0` },
    { args: `${HOST} --describe --broker-list 99` },
    { args: `${HOST} --describe --broker-list 0,98` },
    { args: `${HOST} --describe --broker-list x` },
    { args: `${HOST} --describe --command-config {dir}/missing.properties`, ...MISSING },
  ].map((line) => ({ ...line, changes: [TWICE, [/server \(s\)/, 'server(s)'] as const] })),
}
