import type { WordsTable } from '../table'

/** Only what ends by itself; what a mirror does is tested elsewhere. */
export const table: WordsTable = {
  tool: 'kafka-mirror-maker',
  class: 'kafka.tools.MirrorMaker',
  lines: [
    { args: '' },
    { args: '--help' },
    { args: '--version' },
    { args: '--consumer.config {dir}/c', files: { c: 'bootstrap.servers={bootstrap}\ngroup.id=m-{me}\n' } },
    { args: '--producer.config {dir}/c' },
  ],
}
