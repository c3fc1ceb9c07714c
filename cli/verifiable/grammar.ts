import type { Argument, Parser } from '../tool/argparse'

const SERVERS = 'HOST1:PORT1[,HOST2:PORT2[...]]'
const CONNECTION = 'Connection Group'
const headings = { [CONNECTION]: 'What to connect to' }

const connection: readonly Argument[] = [
  {
    name: '--bootstrap-server',
    metavar: SERVERS,
    help: 'The servers to connect to, host:port and comma.',
    oneOf: 'connection',
    heading: CONNECTION,
  },
  {
    name: '--broker-list',
    metavar: SERVERS,
    help: 'DEPRECATED, use --bootstrap-server instead.',
    oneOf: 'connection',
    heading: CONNECTION,
  },
]

export const PRODUCER: Parser = {
  program: 'verifiable-producer',
  description: 'Produces growing numbers and prints a line of JSON for each: whether it was acknowledged, and where it is.',
  headings,
  arguments: [
    { name: '--topic', help: 'The topic.', required: true },
    {
      name: '--max-messages',
      metavar: 'MAX-MESSAGES',
      help: 'How many; -1: until the process is ended.',
      kind: 'integer',
      fallback: '-1',
    },
    { name: '--throughput', help: 'Records a second, about; -1: as many as can be.', kind: 'integer', fallback: '-1' },
    {
      name: '--acks',
      help: 'Who has to acknowledge.',
      kind: 'integer',
      choices: ['0', '1', '-1'],
      metavar: 'ACKS',
      fallback: '-1',
    },
    { name: '--producer.config', metavar: 'CONFIG_FILE', help: 'A property file with the configuration of the producer.' },
    {
      name: '--message-create-time',
      metavar: 'CREATETIME',
      help: 'The time of the first record, ms since 1970.',
      kind: 'long',
      fallback: '-1',
    },
    {
      name: '--value-prefix',
      metavar: 'VALUE-PREFIX',
      help: 'A number that goes in front of each value, with a dot.',
      kind: 'integer',
    },
    {
      name: '--repeating-keys',
      metavar: 'REPEATING-KEYS',
      help: 'Keys count from 0 up to this, and begin anew.',
      kind: 'integer',
    },
    ...connection,
  ],
}

export const CONSUMER: Parser = {
  program: 'verifiable-consumer',
  description: 'Consumes a topic and prints lines of JSON: rebalances, records, commits.',
  headings,
  arguments: [
    { name: '--topic', help: 'The topic.', required: true },
    { name: '--group-protocol', metavar: 'GROUP_PROTOCOL', help: 'Only classic.', fallback: 'classic' },
    { name: '--group-remote-assignor', metavar: 'GROUP_REMOTE_ASSIGNOR', help: 'Only for the group protocol consumer.' },
    { name: '--group-id', metavar: 'GROUP_ID', help: 'The consumer group.', required: true },
    { name: '--group-instance-id', metavar: 'GROUP_INSTANCE_ID', help: 'Makes this a static member.' },
    {
      name: '--max-messages',
      metavar: 'MAX-MESSAGES',
      help: 'How many; -1: until the process is ended.',
      kind: 'integer',
      fallback: '-1',
    },
    { name: '--session-timeout', metavar: 'TIMEOUT_MS', help: 'The session time-out, ms.', kind: 'integer', fallback: '30000' },
    { name: '--verbose', help: 'A line for each record too.', kind: 'flag' },
    { name: '--enable-autocommit', help: 'Commits by time, and not after each poll.', kind: 'flag' },
    { name: '--reset-policy', metavar: 'RESETPOLICY', help: 'earliest, latest or none.', fallback: 'earliest' },
    {
      name: '--assignment-strategy',
      metavar: 'ASSIGNMENTSTRATEGY',
      help: 'The assignor, by the name of its class.',
      fallback: 'org.apache.kafka.clients.consumer.RangeAssignor',
    },
    { name: '--consumer.config', metavar: 'CONFIG_FILE', help: 'A property file with the configuration of the consumer.' },
    ...connection,
  ],
}
