import type { Line, WordsTable } from '../table'

const HOST = '--bootstrap-server {bootstrap}'
const PREFERRED = `${HOST} --election-type preferred`
const FIRST = '{"partitions":[{"topic":"elected-{me}","partition":0}]}'

/** After its message Kafka's tool shows the exception with the same message. */
/** Kafka's tool says the name of the file, and nothing else. */
const MISSING = { compare: ['code', 'out'], ours: /missing\.properties cannot be read/ } satisfies Partial<Line>
const TWICE = [/^(.+)\n\1\n*$/, '$1\n'] as const
const SUPPRESSED = [/\n\tSuppressed: .*/g, ''] as const

export const table: WordsTable = {
  tool: 'kafka-leader-election',
  class: 'org.apache.kafka.tools.LeaderElectionCommand',
  before: [{ class: 'org.apache.kafka.tools.TopicCommand', args: `${HOST} --create --topic elected-{me} --partitions 2` }],
  lines: [
    { args: '' },
    { args: '--help' },
    { args: '--version' },
    { args: '--nope' },
    { args: PREFERRED },
    { args: HOST },
    { args: '--election-type preferred --all-topic-partitions' },
    { args: `${HOST} --topic t --partition 0` },
    { args: `${PREFERRED} --all-topic-partitions` },
    { args: `${PREFERRED} --topic elected-{me} --partition 0` },
    { args: `${HOST} --election-type PREFERRED --topic elected-{me} --partition 1` },
    { args: `${HOST} --election-type unclean --topic elected-{me} --partition 0` },
    { args: `${HOST} --election-type unclean --all-topic-partitions` },
    { args: `${HOST} --election-type nope --topic elected-{me} --partition 0` },
    { args: `${PREFERRED} --topic no-such --partition 0` },
    { args: `${PREFERRED} --topic elected-{me} --partition 99` },
    { args: `${PREFERRED} --topic elected-{me}` },
    { args: `${PREFERRED} --topic elected-{me} --partition x` },
    { args: `${PREFERRED} --partition 0` },
    { args: `${PREFERRED} --all-topic-partitions --topic t --partition 0` },
    { args: `${PREFERRED} --path-to-json-file {dir}/p.json`, files: { 'p.json': FIRST } },
    { args: `${PREFERRED} --path-to-json-file {dir}/p.json --topic t --partition 0`, files: { 'p.json': FIRST } },
    { args: `${PREFERRED} --path-to-json-file {dir}/p.json`, files: { 'p.json': '{"partitions":[{"topic":"t","partition":0},{"topic":"t","partition":0}]}' } },
    { args: `${PREFERRED} --path-to-json-file {dir}/p.json`, files: { 'p.json': '{"partitions":[]}' } },
    { args: `${PREFERRED} --path-to-json-file {dir}/p.json`, files: { 'p.json': '{}' } },
    { args: `${PREFERRED} --path-to-json-file {dir}/p.json`, files: { 'p.json': 'no json' } },
    { args: `${PREFERRED} --path-to-json-file {dir}/p.json`, files: { 'p.json': '' } },
    { args: `${PREFERRED} --path-to-json-file {dir}/missing.json` },
    { args: `${PREFERRED} --all-topic-partitions --admin.config {dir}/missing.properties`, ...MISSING },
  ].map((line) => ({ ...line, changes: [SUPPRESSED, TWICE] })),
}
