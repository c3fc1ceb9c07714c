import { VERSION } from '../tool/argparse-tool'
import { JSON_ARGUMENT } from '../tool/json'
import type { Parser } from '../tool/argparse'

const TOPIC = { name: '--topic', help: 'The topic.', required: true } as const
const PARTITION = { name: '--partition', help: 'The partition.', kind: 'integer', required: true } as const
const NEWER = 'Brokers on versions 3.0 and above'
const OLDER = 'Brokers on versions older than 3.0'

export const PARSER: Parser = {
  program: 'kafka-transactions.sh',
  description: 'Shows what transactions the producers of a cluster have open, finds those that hang, and ends them.',
  arguments: [
    VERSION,
    { name: '--command-config', metavar: 'FILE', help: 'A property file with the configuration of the admin client.' },
    { name: '--bootstrap-server', metavar: 'host:port', help: 'The servers to connect to, host:port and comma.', required: true },
  ],
  commands: [
    {
      name: 'list',
      help: 'lists transactions',
      arguments: [
        { name: '--duration-filter', help: 'Only transactions that have been open for longer, ms; all if < 0.', kind: 'long' },
        JSON_ARGUMENT,
      ],
    },
    {
      name: 'describe',
      help: 'shows the state of a transactional id',
      description: 'Shows the state of a transactional id.',
      arguments: [{ name: '--transactional-id', help: 'The transactional id.', required: true }, JSON_ARGUMENT],
    },
    {
      name: 'describe-producers',
      help: 'shows the producers that a partition knows',
      arguments: [
        { name: '--broker-id', help: 'As this replica sees it, and not the leader.', kind: 'integer' },
        TOPIC,
        PARTITION,
        JSON_ARGUMENT,
      ],
    },
    {
      name: 'abort',
      help: 'ends a transaction that hangs (for administrators)',
      headings: { [NEWER]: 'The first offset of the transaction is enough.', [OLDER]: 'All of these are needed.' },
      arguments: [
        TOPIC,
        PARTITION,
        { name: '--start-offset', help: 'The first offset of the transaction.', kind: 'long', heading: NEWER },
        { name: '--producer-id', help: 'The producer id.', kind: 'long', heading: OLDER },
        { name: '--producer-epoch', help: 'The producer epoch.', kind: 'short', heading: OLDER },
        { name: '--coordinator-epoch', help: 'The coordinator epoch.', kind: 'integer', heading: OLDER },
      ],
    },
    {
      name: 'find-hanging',
      help: 'finds transactions that hang',
      arguments: [
        { name: '--broker-id', help: 'Searches the partitions of this broker.', kind: 'integer' },
        { name: '--max-transaction-timeout', help: 'Younger ones (minutes) cannot hang yet.', kind: 'integer', fallback: '15' },
        { name: '--topic', help: 'Searches this topic; needed with --partition.' },
        { name: '--partition', help: 'The partition.', kind: 'integer' },
        JSON_ARGUMENT,
      ],
    },
  ],
}
