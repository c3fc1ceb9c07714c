import type { WordsTable } from '../table'

const HOST = '--bootstrap-server {bootstrap}'
const APP = `${HOST} --application-id app-{me}`
const TOPICS = 'org.apache.kafka.tools.TopicCommand'
const topic = (name: string): { class: string; args: string } => ({
  class: TOPICS,
  args: `${HOST} --create --if-not-exists --topic ${name} --partitions 1 --replication-factor 1`,
})
/** The sentences in front of the usage are our own. */
const words = [[/^[^]*?<usage>/, '<usage>']] as const
const java = [
  [/java\.[\w.]+Exception: /g, ''],
  [/^ERROR: (.*)\n\1\n/gm, 'ERROR: $1\n'],
  [/^(ERROR: (.*)\n)\2\n+/gm, '$1'],
] as const

export const table: WordsTable = {
  tool: 'kafka-streams-application-reset',
  class: 'org.apache.kafka.tools.StreamsResetter',
  before: [
    topic('input-{me}'),
    topic('between-{me}'),
    topic('app-{me}-store-changelog'),
    topic('app-{me}-other'),
    { class: 'kafka.tools.ConsoleProducer', args: `${HOST} --topic input-{me}`, input: '1\n2\n3\n' },
    { class: 'kafka.tools.ConsoleProducer', args: `${HOST} --topic between-{me}`, input: '1\n' },
  ],
  lines: [
    { args: '' },
    { args: '--help', compare: ['code', 'out'] },
    { args: '--version' },
    { args: '--application-id x --nonsense' },
    { args: `${APP} --to-earliest --to-latest` },
    { args: `${APP} --to-offset x --input-topics input-{me}`, compare: ['code'] },
    { args: `${APP} --dry-run` },
    { args: `${APP} --dry-run --input-topics input-{me},nothing --intermediate-topics between-{me},nowhere`, unordered: true },
    { args: `${APP} --dry-run --input-topics nothing` },
    ...[
      '',
      '--to-earliest',
      '--to-latest',
      '--to-offset 1',
      '--to-offset 0',
      '--to-offset 9',
      '--shift-by -1',
      '--shift-by 1',
      '--by-duration PT1H',
      '--to-datetime 2001-01-01T00:00:00.000',
      '--to-datetime 2099-01-01T00:00:00.000',
    ].map((how) => ({ args: `${APP} --dry-run --input-topics input-{me} ${how}` })),
    { args: `${APP} --dry-run --input-topics input-{me} --from-file {dir}/plan`, files: { plan: 'input-{me},0,2\n' } },
    {
      args: `${APP} --dry-run --input-topics input-{me} --from-file {dir}/plan`,
      files: { plan: 'input-{me},0\n' },
      compare: ['code', 'out'],
    },
    { args: `${APP} --dry-run --internal-topics input-{me}`, compare: ['code', 'out'], ours: /Invalid topic specified/ },
    { args: `${APP} --dry-run --internal-topics app-{me}-store-changelog` },
    { args: `${APP} --input-topics input-{me} --intermediate-topics between-{me}` },
    { args: `${APP} --dry-run --input-topics input-{me} --shift-by 1 --force` },
    {
      args: `${APP} --input-topics input-{me} --config-file {dir}/missing`,
      changes: [...java, ...words],
      compare: ['code', 'out'],
      ours: /missing/,
    },
  ],
}
