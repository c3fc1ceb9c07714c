import type { WordsTable } from '../table'

const PROPS = '--producer-props bootstrap.servers={bootstrap}'
const RUN = '--topic perf-{me} --throughput -1'
const numbers = [[/\b([\d.]+|Infinity|NaN) (records\/sec|MB\/sec|ms)/g, '<n> $2']] as const

export const table: WordsTable = {
  tool: 'kafka-producer-perf-test',
  class: 'org.apache.kafka.tools.ProducerPerformance',
  before: [
    {
      class: 'org.apache.kafka.tools.TopicCommand',
      args: '--bootstrap-server {bootstrap} --create --if-not-exists --topic perf-{me} --partitions 1 --replication-factor 1',
    },
  ],
  lines: [
    { args: '' },
    { args: '--help' },
    { args: `${RUN} --num-records 10 --record-size 10` },
    { args: `${RUN} --num-records 10 ${PROPS}` },
    { args: `${RUN} --num-records 10 --record-size 10 --payload-monotonic ${PROPS}` },
    { args: `${RUN} --record-size 10 ${PROPS}` },
    { args: `${RUN} --num-records x --record-size 10 ${PROPS}` },
    { args: `--topic perf-{me} --throughput x --num-records 1 --record-size 10 ${PROPS}` },
    { args: `${RUN} --num-records 1 --record-size 10 --producer-props nonsense` },
    { args: `${RUN} --num-records 10 --record-size 10 ${PROPS} acks=all`, changes: numbers },
    {
      args: `${RUN} --num-records 10 --payload-monotonic --producer.config {dir}/p`,
      files: { p: 'bootstrap.servers={bootstrap}\n' },
      changes: numbers,
    },
    { args: `--topic perf-{me} --throughput 100 --num-records 10 --record-size 10 ${PROPS}`, changes: numbers },
    { args: `${RUN} --num-records 10 --payload-file {dir}/missing ${PROPS}` },
    { args: `${RUN} --num-records 10 --payload-file {dir}/f ${PROPS}`, files: { f: 'one\ntwo\n' }, changes: numbers },
    {
      args: `${RUN} --num-records 10 --payload-file {dir}/f --payload-delimiter , ${PROPS}`,
      files: { f: 'one,two,three' },
      changes: numbers,
    },
    {
      args: `${RUN} --num-records 10 --record-size 10 --transaction-duration-ms 1 --transactional-id perf-{me} ${PROPS}`,
      changes: numbers,
    },
  ],
}
