import type { WordsTable } from '../table'

const HOST = '--bootstrap-server {bootstrap}'
const times = [
  [/"timestamp":\d+/g, '"timestamp":0'],
  [/"timestamp":<time>/g, '"timestamp":0'],
] as const

export const table: WordsTable = {
  tool: 'kafka-verifiable-consumer',
  class: 'org.apache.kafka.tools.VerifiableConsumer',
  apart: true,
  before: [
    {
      class: 'org.apache.kafka.tools.TopicCommand',
      args: `${HOST} --create --if-not-exists --topic verifying-{me} --partitions 1 --replication-factor 1`,
    },
    {
      class: 'kafka.tools.ConsoleProducer',
      args: `${HOST} --topic verifying-{me} --property parse.key=true --property key.separator=:`,
      input: 'a:1\nb:2\nc:3\n',
    },
  ],
  lines: [
    { args: '' },
    { args: '--help' },
    { args: `${HOST} --topic t` },
    { args: `${HOST} --group-id g` },
    { args: '--topic t --group-id g' },
    { args: `${HOST} --topic t --group-id g --max-messages x` },
    { args: `${HOST} --topic verifying-{me} --group-id vg-{me} --max-messages 3`, changes: times },
    {
      args: `${HOST} --topic verifying-{me} --group-id vg2-{me} --max-messages 2 --verbose --session-timeout 10000`,
      changes: times,
    },
    {
      args: `${HOST} --topic verifying-{me} --group-id vg3-{me} --max-messages 3 --enable-autocommit --group-instance-id one`,
      changes: times,
    },
    {
      args:
        `${HOST} --topic verifying-{me} --group-id vg4-{me} --max-messages 3 --assignment-strategy ` +
        `org.apache.kafka.clients.consumer.RoundRobinAssignor`,
      changes: times,
    },
  ],
}
