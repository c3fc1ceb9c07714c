import type { WordsTable } from '../table'

const HOST = '--bootstrap-server {bootstrap}'
const file = (topic: string, name = '00000000000000000000.log'): string => `--files {log}/${topic}/${name}`
const groups = '__consumer_offsets-0'
const transactions = '__transaction_state-0'

export const table: WordsTable = {
  tool: 'kafka-dump-log',
  class: 'kafka.tools.DumpLogSegments',
  before: [
    {
      class: 'org.apache.kafka.tools.TopicCommand',
      args: `${HOST} --create --if-not-exists --topic dumped-{me} --partitions 1 --replication-factor 1`,
    },
    {
      class: 'kafka.tools.ConsoleProducer',
      args:
        `${HOST} --topic dumped-{me} --property parse.key=true --property key.separator=: --property null.marker=NIL ` +
        `--property parse.headers=true --sync`,
      input: 'a:b,c:d\tk1:one\nNIL\tk2:NIL\n',
    },
    {
      class: 'org.apache.kafka.tools.consumer.ConsoleConsumer',
      args: `${HOST} --topic dumped-{me} --from-beginning --max-messages 2 --group dumpers`,
    },
    {
      class: 'org.apache.kafka.tools.ProducerPerformance',
      args:
        '--topic dumped-{me} --num-records 5 --throughput -1 --record-size 10 --transactional-id dumper-{me} ' +
        '--transaction-duration-ms 1000 --producer-props bootstrap.servers={bootstrap}',
    },
  ],
  lines: [
    { args: '' },
    { args: '--help' },
    { args: '--version' },
    { args: '--print-data-log' },
    { args: '--files a.log --nonsense' },
    { args: '--files {dir}/a.b' },
    { args: '--files {dir}/00000000000000000000.log', compare: ['code'], ours: /00000000000000000000.log/ },
    ...[
      '',
      '--print-data-log',
      '--deep-iteration',
      '--print-data-log --skip-record-metadata',
      '--max-bytes 100',
      '--value-decoder-class',
      '--key-decoder-class kafka.serializer.StringDecoder',
      '--value-decoder-class org.apache.kafka.tools.api.StringDecoder',
    ].map((how) => ({ args: `${file('dumped-our7-0')} ${how}`, shared: true })),
    { args: `${file('dumped-our7-0')} --value-decoder-class no.Such`, shared: true, compare: ['code'] },
    // Apache's tool does not open an index of no bytes, and ours are not made in advance.
    ...['.index', '.timeindex'].flatMap((suffix) =>
      ['', '--verify-index-only', '--index-sanity-check'].map((how) => ({
        args: `${file('dumped-our7-0', `00000000000000000000${suffix}`)} ${how}`,
        shared: true,
        compare: [],
        ours: /^Dumping .*index\n/,
      })),
    ),
    ...[0, 1, 2, 3].map((partition) => ({ args: `${file(`__consumer_offsets-${partition}`)} --offsets-decoder`, shared: true })),
    { args: `${file(groups)} --offsets-decoder --skip-record-metadata`, shared: true },
    ...[0, 1, 2, 3].map((partition) => ({
      args: `${file(`__transaction_state-${partition}`)} --transaction-log-decoder`,
      shared: true,
    })),
    { args: `${file(transactions)} --transaction-log-decoder --skip-record-metadata`, shared: true },
    { args: `${file('dumped-our7-0')} --cluster-metadata-decoder`, shared: true, compare: [], ours: /KRaft/ },
  ],
}
