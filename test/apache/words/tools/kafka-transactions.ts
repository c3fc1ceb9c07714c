import type { WordsTable } from '../table'

const HOST = '--bootstrap-server {bootstrap}'
const ids = [
  [/^(\d+) +\t(\d+) +\t/gm, '<id>\t<epoch>\t'],
  [/ +\t/g, '\t'],
] as const

export const table: WordsTable = {
  tool: 'kafka-transactions',
  class: 'org.apache.kafka.tools.TransactionsCommand',
  before: [
    {
      class: 'org.apache.kafka.tools.TopicCommand',
      args: `${HOST} --create --if-not-exists --topic transacted-{me} --partitions 1 --replication-factor 1`,
    },
    {
      class: 'org.apache.kafka.tools.ProducerPerformance',
      args:
        '--topic transacted-{me} --num-records 5 --throughput -1 --record-size 10 --transactional-id tx-{me} ' +
        '--transaction-duration-ms 1000 --producer-props bootstrap.servers={bootstrap}',
    },
  ],
  lines: [
    { args: '' },
    { args: '--help' },
    { args: '--version', changes: [[/ \(Commit:.*\)/, '']] },
    { args: 'list' },
    { args: HOST },
    { args: `${HOST} nonsense` },
    { args: `${HOST} --nonsense list` },
    { args: `${HOST} list --help` },
    { args: `${HOST} list --nonsense` },
    { args: `${HOST} list --duration-filter x` },
    { args: `${HOST} list --duration-filter` },
    { args: `${HOST} list extra` },
    { args: `${HOST} describe` },
    { args: `${HOST} describe --help` },
    { args: `${HOST} describe-producers --help` },
    { args: `${HOST} describe-producers --topic transacted-{me}` },
    { args: `${HOST} abort` },
    { args: `${HOST} abort --help` },
    { args: `${HOST} abort --topic transacted-{me} --partition 0` },
    { args: `${HOST} abort --topic transacted-{me} --partition 0 --producer-id 1` },
    { args: `${HOST} abort --topic transacted-{me} --partition 0 --producer-id 1 --producer-epoch 0` },
    { args: `${HOST} abort --topic transacted-{me} --partition 0 --producer-id 1 --producer-epoch 70000` },
    { args: `${HOST} abort --topic transacted-{me} --partition 0 --start-offset 0` },
    { args: `${HOST} abort --topic transacted-{me} --partition 0 --start-offset -1` },
    { args: `${HOST} find-hanging` },
    { args: `${HOST} find-hanging --help` },
    { args: `${HOST} find-hanging --broker-id 0 --partition 0` },
    { args: `${HOST} find-hanging --broker-id 0` },
    { args: `${HOST} find-hanging --topic transacted-{me}` },
    { args: `${HOST} find-hanging --topic missing` },
    { args: `${HOST} --command-config {dir}/missing list`, compare: ['code'], ours: /missing/ },
    {
      args: `${HOST} list`,
      unordered: true,
      changes: [
        [/ +\t/g, '\t'],
        [/\t\d+\t\d+\t/g, '\t<n>\t'],
      ],
    },
    {
      args: `${HOST} list --duration-filter 100000`,
      // Those of other tables may be that old.
      changes: [
        [/ +\t/g, '\t'],
        [/\t\d+\t\d+\t/g, '\t<n>\t'],
      ],
    },
    { args: `${HOST} describe --transactional-id none` },
    {
      args: `${HOST} describe --transactional-id tx-{me}`,
      changes: [
        [/ +\t/g, '\t'],
        [/<me>\t\d+\t/, '<me>\t<n>\t'],
        [/<time>\t\d+\t/, '<time>\t<ms>\t'],
      ],
    },
    { args: `${HOST} describe-producers --topic transacted-{me} --partition 0`, changes: ids },
    { args: `${HOST} describe-producers --topic transacted-{me} --partition 0 --broker-id 0`, changes: ids },
  ],
}
