import type { WordsTable } from '../table'

const HOST = '--bootstrap-server {bootstrap}'

export const table: WordsTable = {
  tool: 'kafka-console-producer',
  class: 'kafka.tools.ConsoleProducer',
  before: [
    {
      class: 'org.apache.kafka.tools.TopicCommand',
      args: `${HOST} --create --if-not-exists --topic produced-{me} --partitions 1`,
    },
  ],
  lines: [
    { args: '' },
    { args: '--help' },
    { args: '--version' },
    { args: '--topic t' },
    { args: HOST },
    { args: '--topic t --bootstrap-server nowhere' },
    { args: `--topic t ${HOST} --nonsense` },
    { args: `--topic t ${HOST} --timeout` },
    { args: `--topic produced-{me} ${HOST}`, input: 'one\ntwo\n' },
    { args: `--topic produced-{me} ${HOST} --property parse.key=true`, input: 'k\tone\nno key\n' },
    { args: `--topic produced-{me} ${HOST} --property parse.key=true --property ignore.error=true`, input: 'k\tone\nno key\n' },
    { args: `--topic produced-{me} ${HOST} --property parse.headers=true`, input: 'a:b,c\tone\n' },
    { args: `--topic produced-{me} ${HOST} --line-reader no.Such`, compare: ['code', 'out'], ours: /no.Such/ },
    { args: `--topic produced-{me} ${HOST} --compression-codec lzma`, input: 'a\n' },
    { args: `--topic produced-{me} ${HOST} --request-required-acks 7`, input: 'a\n' },
    { args: `--topic produced-{me} ${HOST} --max-block-ms x`, input: 'a\n' },
    {
      args: `--topic produced-{me} ${HOST} --producer-property acks=1 --producer-property enable.idempotence=true`,
      input: 'a\n',
    },
    {
      args: `--topic produced-{me} ${HOST} --producer.config {dir}/missing`,
      input: 'a\n',
      compare: ['code', 'out'],
      ours: /missing/,
    },
    {
      args: `--topic produced-{me} ${HOST} --producer-property max.request.size=100`,
      input: `${'x'.repeat(200)}\nshort\n`,
      compare: ['code', 'out'],
      ours: /Error when sending/,
    },
    {
      args: `--topic produced-{me} ${HOST} --sync --producer-property max.request.size=100`,
      input: `${'x'.repeat(200)}\n`,
      compare: ['code', 'out'],
      ours: /larger than 100/,
    },
    ...['none', 'gzip', 'snappy', 'lz4', 'zstd'].map((codec) => ({
      args: `--topic produced-{me} ${HOST} --compression-codec ${codec}`,
      input: 'a\n',
    })),
    { args: '--topic produced-{me} --broker-list {bootstrap}', input: 'a\n' },
    { args: `--topic produced-{me} ${HOST} --broker-list {bootstrap}`, input: 'a\n' },
    { args: `--topic produced-{me} ${HOST} --sync --request-required-acks 0`, input: 'a\n' },
    { args: `--topic produced-{me} ${HOST} --request-required-acks all`, input: 'a\n' },
    {
      args:
        `--topic produced-{me} ${HOST} --message-send-max-retries 3 --retry-backoff-ms 100 --request-timeout-ms 5000 ` +
        '--max-memory-bytes 1000000 --max-partition-memory-bytes 16384 --max-block-ms 5000 --timeout 5',
      input: 'a\n',
    },
    { args: `--topic produced-{me} ${HOST} --request-timeout-ms x`, input: 'a\n' },
    { args: `--topic produced-{me} ${HOST} --batch-size`, input: 'a\n' },
    {
      args: `--topic produced-{me} ${HOST} --reader-config {dir}/reader`,
      files: { reader: 'parse.key=true\n' },
      input: 'none\n',
    },
    { args: `--topic produced-{me} ${HOST} --producer.config {dir}/producer`, files: { producer: 'acks=x\n' }, input: 'a\n' },
    {
      args:
        `--topic produced-{me} ${HOST} --property parse.key=true --property parse.headers=true --property key.separator=| ` +
        '--property headers.delimiter=; --property headers.separator=/ --property headers.key.separator== ' +
        '--property null.marker=N',
      input: 'a=b/c=N;k|v\nno header|v\n',
    },
    { args: `--topic produced-{me} ${HOST} --producer-property nonsense`, input: 'a\n' },
    { args: `--topic produced-{me} ${HOST} --property`, input: 'a\n' },
    { args: `--topic produced-{me} ${HOST}`, input: '' },
    { args: `--topic produced-{me} ${HOST}`, input: 'no end of the line' },
    { args: `--topic produced-{me} ${HOST} extra`, input: 'a\n' },
    { args: `--topic produced-{me} ${HOST} --property null.marker=,`, input: 'a\n' },
    { args: `--topic produced-{me} ${HOST} --property headers.delimiter=,`, input: 'a\n' },
    {
      args:
        `--topic produced-{me} ${HOST} --compression-codec --batch-size 10 --metadata-expiry-ms 1000 ` +
        `--socket-buffer-size 1000`,
      input: 'a\nb\n',
    },
  ],
}
