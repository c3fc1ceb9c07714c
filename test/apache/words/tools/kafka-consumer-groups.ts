import type { Step, WordsTable } from '../table'

const HOST = '--bootstrap-server {bootstrap}'
const TOPICS = 'org.apache.kafka.tools.TopicCommand'
const CONSUMER = 'org.apache.kafka.tools.consumer.ConsoleConsumer'

/** Apache prints these rows without an end of line between them. */
const rows = [[/\s+/g, '']] as const
/** What Apache's tool logs, ours says. */
const clamped = [[/New offset .* Value will be set to \d+\n/g, ''], ...rows] as const
/** The class names of Java, in front of what it has to say. */
const java = [[/java\.[\w.]+Exception: /g, '']] as const

/** A group that has read the four records of its topic. */
const group: Step = {
  class: CONSUMER,
  args: `${HOST} --topic grouped-{me} --group group-{me} --from-beginning --max-messages 4 --timeout-ms 10000`,
}
const reset = (how: string): string => `${HOST} --reset-offsets --group group-{me} ${how}`

export const table: WordsTable = {
  tool: 'kafka-consumer-groups',
  class: 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  before: [
    { class: TOPICS, args: `${HOST} --create --if-not-exists --topic grouped-{me} --partitions 3 --replication-factor 1` },
    { class: TOPICS, args: `${HOST} --create --if-not-exists --topic empty-{me} --partitions 1 --replication-factor 1` },
    {
      class: 'kafka.tools.ConsoleProducer',
      args: `${HOST} --topic grouped-{me} --property parse.key=true --property key.separator=:`,
      input: 'a:1\nb:2\nc:3\nd:4\n',
    },
    group,
  ],
  lines: [
    // What cannot be carried out.
    { args: '' },
    { args: '--help' },
    { args: '--version' },
    { args: '--list' },
    { args: HOST },
    { args: `${HOST} --nonsense` },
    { args: `${HOST} --list --describe` },
    { args: `${HOST} --describe` },
    { args: `${HOST} --describe --group g --members --offsets` },
    { args: `${HOST} --describe --group g --state Stable` },
    { args: `${HOST} --list --members` },
    { args: `${HOST} --describe --group g --type classic` },
    { args: `${HOST} --list --group g` },
    { args: `${HOST} --describe --group g --all-groups` },
    { args: `${HOST} --describe --group g --topic t` },
    { args: `${HOST} --delete` },
    { args: `${HOST} --delete --group g --topic t` },
    { args: `${HOST} --delete-offsets --group g` },
    { args: reset('') },
    { args: reset('--to-earliest') },
    { args: reset('--dry-run --execute --to-earliest --all-topics') },
    { args: reset('--dry-run --to-earliest --to-latest --all-topics') },
    { args: reset('--dry-run --to-offset x --all-topics'), compare: ['code', 'out'] },
    { args: reset('--dry-run --all-topics') },
    { args: reset('--dry-run --to-earliest --topic grouped-{me}:x') },
    { args: reset('--dry-run --to-earliest --topic a:b:c') },
    { args: reset('--dry-run --to-datetime yesterday --all-topics'), compare: ['code', 'out'], changes: java },
    { args: reset('--dry-run --to-datetime 2024-01-01T00:00:00 --all-topics'), compare: ['code', 'out'], changes: java },
    { args: reset('--dry-run --by-duration P --all-topics'), compare: ['code', 'out'] },
    { args: reset('--dry-run --from-file {dir}/missing'), compare: ['code'], ours: /missing/ },
    { args: `${HOST} --reset-offsets --dry-run --to-earliest --all-topics` },
    { args: `${HOST} --list --state nonsense` },
    { args: `${HOST} --list --type nonsense` },
    { args: `${HOST} --describe --group g --timeout x`, compare: ['code', 'out'] },
    { args: `${HOST} --list --command-config {dir}/missing`, compare: ['code'], ours: /missing/ },
    // Views.
    { args: `${HOST} --list`, unordered: true },
    { args: `${HOST} --list --state`, unordered: true },
    { args: `${HOST} --list --type`, unordered: true },
    { args: `${HOST} --list --type --state`, unordered: true },
    { args: `${HOST} --list --state empty,stable`, unordered: true },
    { args: `${HOST} --list --state=Dead` },
    { args: `${HOST} --list --type consumer` },
    { args: `${HOST} --describe --group group-{me}`, unordered: true },
    { args: `${HOST} --describe --group group-{me} --group none`, unordered: true },
    { args: `${HOST} --describe --offsets --group group-{me} --verbose`, unordered: true },
    { args: `${HOST} --describe --members --group group-{me}` },
    { args: `${HOST} --describe --members --verbose --group group-{me}` },
    { args: `${HOST} --describe --state --group group-{me}` },
    { args: `${HOST} --describe --group none` },
    { args: `${HOST} --describe --state --group none` },
    { args: `${HOST} --describe --members --group none` },
    // Groups of other tables, where the cluster is older than this run.
    { args: `${HOST} --describe --all-groups`, unordered: true, changes: [[/^(perf-consumer|test-group)-.*\n/gm, '']] },
    // Resets.
    ...['--to-earliest', '--to-latest', '--to-current', '--to-offset 1', '--shift-by -1'].map((how) => ({
      args: reset(`--dry-run --all-topics ${how} --export`),
      unordered: true,
      changes: clamped.slice(0, 1),
    })),
    { args: reset('--dry-run --all-topics --to-earliest'), changes: [...rows, [/(group-<me>grouped-<me>\d0)+/, '<rows>']] },
    { args: reset('--dry-run --topic grouped-{me}:0 --to-offset 100'), changes: clamped },
    { args: reset('--dry-run --topic grouped-{me}:0 --to-offset -5'), changes: clamped },
    { args: reset('--dry-run --topic grouped-{me}:0 --to-datetime 2001-01-01T00:00:00.000'), changes: rows },
    { args: reset('--dry-run --topic grouped-{me}:0 --to-datetime 2001-01-01T00:00:00.000+01:00'), changes: rows },
    { args: reset('--dry-run --topic empty-{me} --to-datetime 2001-01-01T00:00:00.000Z'), changes: rows },
    { args: reset('--dry-run --topic grouped-{me}:0 --by-duration PT0S'), changes: rows },
    { args: reset('--dry-run --topic grouped-{me}:0 --by-duration P1DT1H'), changes: rows },
    { args: reset('--dry-run --topic empty-{me} --shift-by 1') },
    { args: reset('--dry-run --topic empty-{me} --to-current'), changes: rows },
    { args: reset('--dry-run --topic missing --to-earliest'), compare: ['code'] },
    { args: reset('--dry-run --from-file {dir}/plan.csv'), files: { 'plan.csv': 'grouped-{me},0,1\n' }, changes: clamped },
    {
      args: reset('--dry-run --from-file {dir}/plan.csv'),
      files: { 'plan.csv': 'group-{me},grouped-{me},0,0\n' },
      compare: ['code', 'out'],
      changes: rows,
    },
    {
      args: reset('--dry-run --from-file {dir}/plan.csv'),
      files: { 'plan.csv': 'other,grouped-{me},0,1\n' },
      compare: ['code', 'out'],
      changes: rows,
    },
    { args: reset('--execute --topic grouped-{me}:1 --to-earliest'), changes: rows },
    { args: reset('--execute --topic empty-{me} --to-earliest --export') },
    {
      args: `${HOST} --reset-offsets --dry-run --all-topics --to-earliest --group group-{me} --group other --export`,
      unordered: true,
    },
    { args: `${HOST} --describe --group group-{me}`, unordered: true },
    // Deletions.
    { args: `${HOST} --delete-offsets --group group-{me} --topic grouped-{me}`, changes: rows },
    { args: `${HOST} --delete-offsets --group group-{me} --topic grouped-{me}:7`, changes: rows },
    { args: `${HOST} --delete-offsets --group group-{me} --topic missing`, changes: rows },
    { args: `${HOST} --delete-offsets --group none --topic grouped-{me}`, changes: rows },
    {
      args: `${HOST} --delete --group group-{me} --group none`,
      unordered: true,
      before: [group],
      changes: [[/(successfully: '.*'), '/, '$1']],
    },
    { args: `${HOST} --delete --group group-{me}`, before: [group] },
  ],
}
