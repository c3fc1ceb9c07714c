import type { WordsTable } from '../table'

const HOST = '--bootstrap-server {bootstrap}'
/** Times, and what depends on them: per second of no time at all is NaN, or infinity. */
const json = [
  [/"timestamp":[^,]+/g, '"timestamp":0'],
  [/"avg_throughput":([\d.E]+|"NaN"|"Infinity")/, '"avg_throughput":0'],
  [/"offset":\d+/g, '"offset":0'],
] as const

export const table: WordsTable = {
  tool: 'kafka-verifiable-producer',
  class: 'org.apache.kafka.tools.VerifiableProducer',
  apart: true,
  before: [
    {
      class: 'org.apache.kafka.tools.TopicCommand',
      args: `${HOST} --create --if-not-exists --topic verified-{me} --partitions 2 --replication-factor 1`,
    },
  ],
  lines: [
    { args: '' },
    { args: '--help' },
    { args: '--topic t' },
    { args: HOST },
    { args: `${HOST} --topic t --acks 5` },
    { args: `${HOST} --topic t --max-messages x` },
    { args: `${HOST} --topic t --broker-list x` },
    { args: `${HOST} --topic verified-{me} --max-messages 4 --repeating-keys 2`, changes: json, unordered: true },
    {
      args: `${HOST} --topic verified-{me} --max-messages 2 --value-prefix 3 --throughput 100 --acks 1 --repeating-keys 1`,
      changes: json,
    },
    { args: `${HOST} --topic verified-{me} --max-messages 0`, changes: json },
  ],
}
