import type { Parser } from '../tool/argparse'

const HEADING = 'One of --record-size, --payload-file and --payload-monotonic is needed.'

export const PRODUCER_PERFORMANCE: Parser = {
  program: 'producer-performance',
  description: 'Measures how fast records are produced.',
  arguments: [
    { name: '--topic', help: 'The topic.', required: true },
    { name: '--num-records', metavar: 'NUM-RECORDS', help: 'How many records.', kind: 'long', required: true },
    {
      name: '--payload-delimiter',
      metavar: 'PAYLOAD-DELIMITER',
      help: 'What stands between the values in the file.',
      fallback: '\\n',
    },
    { name: '--throughput', help: 'Records a second, about; -1: as many as can be.', kind: 'double', required: true },
    {
      name: '--producer-props',
      metavar: 'PROP-NAME=PROP-VALUE',
      help: 'Configurations of the producer, stronger than those of --producer.config.',
      kind: 'list',
    },
    { name: '--producer.config', metavar: 'CONFIG-FILE', help: 'A property file with configurations of the producer.' },
    { name: '--print-metrics', help: 'Prints metrics at the end.', kind: 'flag' },
    {
      name: '--transactional-id',
      metavar: 'TRANSACTIONAL-ID',
      help: 'The transactional id, if there is a duration.',
      fallback: 'performance-producer-default-transactional-id',
    },
    {
      name: '--transaction-duration-ms',
      metavar: 'TRANSACTION-DURATION',
      help: 'How long a transaction lasts; without it there are none.',
      kind: 'long',
      fallback: '0',
    },
    {
      name: '--record-size',
      metavar: 'RECORD-SIZE',
      help: 'The size of a value, bytes.',
      kind: 'integer',
      oneOf: 'payload',
      heading: HEADING,
    },
    {
      name: '--payload-file',
      metavar: 'PAYLOAD-FILE',
      help: 'A file with values, one of which is chosen by chance.',
      oneOf: 'payload',
      heading: HEADING,
    },
    { name: '--payload-monotonic', help: 'Values are growing numbers.', kind: 'flag', oneOf: 'payload', heading: HEADING },
  ],
}
