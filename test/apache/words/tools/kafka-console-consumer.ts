import type { Line, WordsTable } from '../table'

const HOST = '--bootstrap-server {bootstrap}'
const READ = `${HOST} --topic consumed-{me} --from-beginning`
const PACKAGE = 'org.apache.kafka.tools.consumer'

/** What Apache's tool logs, ours says. */
const logged = [[/^(Error processing message, .*|org\.apache\.kafka\.common\.errors\.TimeoutException)\n/gm, '']] as const

/** A partition of an internal topic from its beginning; it stops when nothing more comes. */
const internal = (topic: string, formatter: string): Line => ({
  args: `${HOST} --topic ${topic} --partition 0 --offset earliest --timeout-ms 2000 --formatter ${formatter}`,
  shared: true,
  changes: [...logged, [/timestamp":\d+/gi, 'timestamp":<t>'], [/imestamp=\d+/g, 'imestamp=<t>'], [/Processed.*/, '']],
})

export const table: WordsTable = {
  tool: 'kafka-console-consumer',
  class: `${PACKAGE}.ConsoleConsumer`,
  before: [
    {
      class: 'org.apache.kafka.tools.TopicCommand',
      args: `${HOST} --create --if-not-exists --topic consumed-{me} --partitions 1 --replication-factor 1`,
    },
    {
      class: 'kafka.tools.ConsoleProducer',
      args:
        `${HOST} --topic consumed-{me} --property parse.key=true --property parse.headers=true --property ` +
        `key.separator=: --property null.marker=NIL`,
      input: 'h1:v1,h2:NIL\tk1:one\nNIL\tk2:NIL\nNIL\tNIL:three\n',
    },
  ],
  lines: [
    { args: '' },
    { args: '--help' },
    { args: '--version' },
    { args: HOST },
    { args: '--topic t' },
    { args: `${HOST} --topic t --include t` },
    { args: `${HOST} --topic t --whitelist t` },
    { args: `${HOST} --topic t --nonsense` },
    { args: `${HOST} --topic t --partition` },
    { args: `${HOST} --include t --partition 0` },
    { args: `${HOST} --topic t --offset 0` },
    { args: `${HOST} --topic t --partition 0 --offset -7` },
    { args: `${HOST} --topic t --partition 0 --offset x` },
    { args: `${HOST} --topic t --partition 0 --offset 0 --from-beginning` },
    { args: `${HOST} --topic t --partition 0 --group g` },
    { args: `${HOST} --topic t --partition x` },
    { args: `${HOST} --topic t --group g --consumer-property group.id=h` },
    { args: `${HOST} --topic t --from-beginning --consumer-property auto.offset.reset=latest` },
    { args: `${HOST} --topic t --formatter no.Such` },
    { args: `${HOST} --topic t --isolation-level chaos`, compare: ['code'] },
    { args: `${HOST} --topic t --consumer.config {dir}/missing`, compare: ['code'], ours: /missing/ },
    { args: '--bootstrap-server nowhere --topic t', compare: ['code'] },
    { args: `${HOST} --topic t --topic u` },
    { args: `${HOST} --include '[' --timeout-ms 100`, compare: ['code'] },
    { args: `${HOST} --topic t --max-messages x` },
    { args: `${HOST} --topic t --timeout-ms x` },
    { args: `${HOST} --topic t --property` },
    { args: `${HOST} --topic t --group` },
    { args: `${READ} --max-messages 0`, changes: logged },
    { args: `${READ} --max-messages 1 --skip-message-on-error` },
    { args: `${READ} --max-messages 1 --formatter kafka.tools.DefaultMessageFormatter` },
    { args: `${READ} --max-messages 1 --formatter ${PACKAGE}.DefaultMessageFormatter` },
    { args: `${READ} --max-messages 1 --key-deserializer no.Such --property print.key=true`, compare: ['code'], ours: /no.Such/ },
    { args: `${HOST} --topic consumed-{me} --partition 0 --offset earliest --max-messages 1` },
    { args: `${HOST} --topic consumed-{me} --partition 0 --max-messages 1 --timeout-ms 500`, changes: logged },
    { args: `${HOST} --topic consumed-{me} --timeout-ms 500 --group none-{me}`, changes: logged },
    { args: `${READ} --max-messages 1 --consumer-property client.id=c --group cg3-{me}` },
    { args: `${READ} --max-messages 1 --consumer.config {dir}/c`, files: { c: 'group.id=cg4-{me}\n' } },
    { args: `${READ} --max-messages 1 --group cg4-{me} --consumer.config {dir}/c`, files: { c: 'group.id=other\n' } },
    { args: `${READ} --max-messages 3` },
    { args: `${READ} --max-messages 3 --group cg-{me}` },
    { args: `${HOST} --topic consumed-{me} --group cg-{me} --timeout-ms 3000`, changes: logged },
    { args: `${READ} --max-messages 1 --group cg2-{me} --enable-systest-events` },
    { args: `${READ} --max-messages 2 --group cg2-{me}` },
    {
      args:
        `${READ} --max-messages 3 --property print.timestamp=true --property print.key=true --property print.offset=true ` +
        `--property ` +
        'print.partition=true --property print.headers=true --property key.separator=| --property null.literal=NUL ' +
        '--property headers.separator=;',
    },
    { args: `${READ} --max-messages 3 --property print.key=true --property print.value=false --property line.separator=.` },
    {
      args:
        `${READ} --max-messages 1 --property print.key=true --value-deserializer ` +
        `org.apache.kafka.common.serialization.LongDeserializer`,
      compare: ['code'],
    },
    {
      args:
        `${READ} --max-messages 1 --property key.deserializer=org.apache.kafka.common.serialization.StringDeserializer ` +
        `--property print.key=true`,
    },
    { args: `${READ} --max-messages 1 --formatter-config {dir}/format`, files: { format: 'print.key=true\nkey.separator=-\n' } },
    { args: `${READ} --max-messages 3 --formatter kafka.tools.NoOpMessageFormatter` },
    { args: `${READ} --max-messages 3 --formatter kafka.tools.LoggingMessageFormatter` },
    { args: `${READ} --max-messages 3 --formatter ${PACKAGE}.NoOpMessageFormatter` },
    { args: `${HOST} --include 'consumed-{me}|nothing' --from-beginning --max-messages 3 --isolation-level read_committed` },
    { args: `${HOST} --topic consumed-{me} --partition 0 --offset 1 --max-messages 2` },
    { args: `${HOST} --topic consumed-{me} --partition 0 --offset latest --timeout-ms 500`, changes: logged },
    internal('__consumer_offsets', `${PACKAGE}.OffsetsMessageFormatter`),
    internal('__consumer_offsets', `${PACKAGE}.GroupMetadataMessageFormatter`),
    internal('__transaction_state', `${PACKAGE}.TransactionLogMessageFormatter`),
    internal('__consumer_offsets', "'kafka.coordinator.group.GroupMetadataManager$OffsetsMessageFormatter'"),
    internal('__consumer_offsets', "'kafka.coordinator.group.GroupMetadataManager$GroupMetadataMessageFormatter'"),
    internal('__transaction_state', "'kafka.coordinator.transaction.TransactionLog$TransactionLogMessageFormatter'"),
  ],
}
