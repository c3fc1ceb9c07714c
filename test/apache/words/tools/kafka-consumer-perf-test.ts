import type { WordsTable } from '../table'

const HOST = '--bootstrap-server {bootstrap}'
const RUN = `${HOST} --topic perfread-{me}`
const numbers = [
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d:\d{3}/g, '<date>'],
  [/, [\d.]+|, Infinity|, NaN/g, ', <n>'],
] as const

export const table: WordsTable = {
  tool: 'kafka-consumer-perf-test',
  class: 'org.apache.kafka.tools.ConsumerPerformance',
  before: [
    {
      class: 'org.apache.kafka.tools.TopicCommand',
      args: `${HOST} --create --if-not-exists --topic perfread-{me} --partitions 1 --replication-factor 1`,
    },
    { class: 'kafka.tools.ConsoleProducer', args: `${HOST} --topic perfread-{me}`, input: 'a\nb\nc\nd\n' },
  ],
  lines: [
    { args: '' },
    { args: '--help' },
    { args: HOST },
    { args: `${RUN}` },
    { args: '--topic t --messages 1' },
    { args: `${RUN} --messages 1 --nonsense` },
    { args: `${RUN} --messages x`, compare: ['code'] },
    { args: `${RUN} --messages 4 --reporting-interval 0`, compare: ['code'] },
    { args: `${RUN} --messages 4`, changes: numbers },
    { args: `${RUN} --messages 4 --hide-header --threads 2`, changes: numbers },
    { args: `${RUN} --messages 4 --show-detailed-stats`, changes: numbers },
    {
      args: `${RUN} --messages 100 --timeout 2000 --date-format yyyy-MM-dd`,
      changes: [[/\d{4}-\d\d-\d\d/g, '<day>'], ...numbers],
    },
  ],
}
