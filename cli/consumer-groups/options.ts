import { JSON_OPTION, refuseJson } from '../tool/json'
import { UsageError } from '../tool/command-line'
import type { CommandLine } from '../tool/command-line'
import type { OptionSpec } from '../tool/usage'

export const ACTIONS = ['list', 'describe', 'delete', 'reset-offsets', 'delete-offsets'] as const
export type Action = (typeof ACTIONS)[number]

/** What `--reset-offsets` may set offsets to. */
export const TARGETS = [
  'to-offset',
  'shift-by',
  'to-datetime',
  'by-duration',
  'to-earliest',
  'to-latest',
  'to-current',
  'from-file',
] as const
export type Target = (typeof TARGETS)[number]

export const OPTIONS: readonly OptionSpec[] = [
  { name: 'bootstrap-server', argument: 'String: server to connect to', description: 'REQUIRED: The servers to connect to.' },
  {
    name: 'group',
    argument: 'String: consumer group',
    repeat: true,
    description: 'The consumer group. May be given several times.',
  },
  {
    name: 'topic',
    argument: 'String: topic',
    repeat: true,
    description:
      'The topic whose offsets are to be reset or deleted; of some partitions only: topic1:0,1,2. May be given several times.',
  },
  { name: 'all-topics', description: 'With --reset-offsets: all topics in which the group has offsets.' },
  { name: 'list', description: 'Lists the consumer groups.' },
  { name: 'describe', description: 'Shows how far a group has got in each partition, and how far it is behind.' },
  { name: 'all-groups', description: 'All consumer groups.' },
  { name: 'delete', description: 'Deletes groups with all their offsets: --group g1 --group g2' },
  { name: 'timeout', argument: 'Long: timeout (ms)', description: 'How long a request may take in all, ms. (default: 5000)' },
  {
    name: 'command-config',
    argument: 'String: command config property file',
    description: 'A property file with the configuration of the admin client.',
  },
  {
    name: 'reset-offsets',
    description:
      'Moves the offsets of a group whose members are gone: to what one of --to-datetime, --by-duration, --to-earliest, ' +
      '--to-latest, --shift-by, --from-file, --to-current, --to-offset says, in the partitions that --all-topics, --topic or ' +
      'the file names. Shows the plan (--dry-run, the default), carries it out (--execute), and prints it as CSV (--export).',
  },
  { name: 'delete-offsets', description: "Deletes a group's offsets in the topics that are named." },
  { name: 'dry-run', description: 'With --reset-offsets: changes nothing.' },
  { name: 'execute', description: 'With --reset-offsets: carries the plan out.' },
  { name: 'export', description: 'With --reset-offsets: prints the plan as CSV.' },
  { name: 'to-offset', argument: 'Long: offset', description: 'Resets to this offset.' },
  { name: 'from-file', argument: 'String: path to CSV file', description: 'Resets to what a CSV file says.' },
  {
    name: 'to-datetime',
    argument: 'String: datetime',
    description: "Resets to the first record at or after a time: 'YYYY-MM-DDTHH:mm:SS.sss'",
  },
  {
    name: 'by-duration',
    argument: 'String: duration',
    description: "Resets to the first record at or after the time that lies so far back: 'PnDTnHnMnS'",
  },
  { name: 'to-earliest', description: 'Resets to the earliest offset.' },
  { name: 'to-latest', description: 'Resets to the latest offset.' },
  { name: 'to-current', description: 'Resets to the current offset.' },
  { name: 'shift-by', argument: 'Long: number-of-offsets', description: 'Moves by so many records, back if negative.' },
  { name: 'members', description: 'With --describe: the members of the group.' },
  { name: 'verbose', description: 'With --describe --members: their partitions too.' },
  { name: 'offsets', description: 'With --describe: the offsets and the lag of all partitions; this is the default.' },
  {
    name: 'state',
    argument: 'String',
    optionalArgument: true,
    description:
      'With --describe: the state of the group. With --list: the state of each; with a value (stable,empty) only these.',
  },
  {
    name: 'type',
    argument: 'String',
    optionalArgument: true,
    description: 'With --list: the type of each group; with a value (classic,consumer) only these.',
  },
  JSON_OPTION,
]

const DRY_RUN_WARNING =
  'WARN: No action will be performed as the --execute option is missing.' +
  'In a future major release, the default behavior of this command will be to prompt the user before ' +
  'executing the reset rather than doing a dry run. You should add the --dry-run option explicitly ' +
  'if you are scripting this command and want to keep the current default behavior without prompting.'

const list = (names: readonly string[]): string => names.map((name) => `[${name}]`).join(', ')

/** Complains as Kafka's ConsumerGroupCommandOptions does, in its order; gives the one action. `warn` gets a line for stderr. */
export function checkOptions(line: CommandLine, warn: (text: string) => void): Action {
  available(line)
  line.requireAll(['bootstrap-server'])
  const hasGroups = line.has('group') || line.has('all-groups')
  if (line.has('describe')) {
    if (!hasGroups)
      throw new UsageError(
        `Option [describe] takes one of these options: ${list(['list', 'describe', 'delete', 'reset-offsets'])}`,
      )
    const views = ['members', 'offsets', 'state']
    if (views.filter((view) => line.has(view)).length > 1)
      throw new UsageError(`Option [describe] takes at most one of these options: ${list(views)}`)
    if ((line.value('state') ?? '') !== '') throw new UsageError('Option [describe] does not take a value for [state]')
  }
  if (line.has('delete')) {
    if (!hasGroups) throw new UsageError(`Option [delete] takes one of these options: ${list(['group', 'all-groups'])}`)
    if (line.has('topic'))
      throw new UsageError('The consumer does not support topic-specific offset deletion from a consumer group.')
  }
  if (line.has('delete-offsets') && !(line.has('group') && line.has('topic')))
    throw new UsageError(`Option [delete-offsets] takes the following options: ${list(['group', 'all-groups'])}`)
  if (line.has('reset-offsets')) {
    if (line.has('dry-run') && line.has('execute'))
      throw new UsageError('Option [reset-offsets] only accepts one of [execute] and [dry-run]')
    if (!line.has('dry-run') && !line.has('execute')) warn(DRY_RUN_WARNING)
    if (!hasGroups) throw new UsageError(`Option [reset-offsets] takes one of these options: ${list(['group', 'all-groups'])}`)
    for (const target of TARGETS) line.refuseTogether(target, TARGETS)
  }
  refuseJson(line, ['delete', 'reset-offsets', 'delete-offsets'])
  line.refuseTogether('group', ['all-groups', 'list'])
  line.refuseTogether('topic', ['list', 'describe'])
  const actions = ACTIONS.filter((action) => line.has(action))
  if (actions.length !== 1)
    throw new UsageError(
      'Command must include exactly one action: --list, --describe, --delete, --reset-offsets, --delete-offsets',
    )
  return actions[0]!
}

/** Options that mean something beside one action only. */
function available(line: CommandLine): void {
  const unavailable = (['members', 'offsets', 'state', 'type', 'verbose'] as const).filter((option) => {
    if (!line.has(option)) return false
    if (option === 'type') return !line.has('list')
    return !line.has('describe') && !(option === 'state' && line.has('list'))
  })
  if (unavailable.length > 0)
    throw new UsageError(`Option(s) ${list(unavailable)} are unavailable given other options on the command line`, false)
}

const STATES = ['PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead', 'Empty', 'Assigning', 'Reconciling']
const TYPES = ['Consumer', 'Classic']

function valid(text: string, kind: string, names: readonly string[]): string[] {
  const found = text.split(',').map((part) => names.find((name) => name.toLowerCase() === part.trim().toLowerCase()))
  if (found.includes(undefined))
    throw new UsageError(
      `Invalid ${kind} list '${text}'. Valid ${kind === 'state' ? 'states' : 'types'} are: ${names.join(', ')}`,
    )
  return [...new Set(found as string[])]
}

/** `stable,empty` as the broker writes them; none for no text. Throws UsageError. */
export function statesOf(text: string): string[] {
  return text === '' ? [] : valid(text, 'state', STATES)
}

export function typesOf(text: string): string[] {
  return text === '' ? [] : valid(text.toLowerCase(), 'types', TYPES)
}

/** `topic:0,1`. Throws UsageError in Kafka's words. */
export function partitionsOfArgument(argument: string): { topic: string; partitions: number[] } {
  const parts = argument.split(':')
  while (parts.length > 0 && parts.at(-1) === '') parts.pop()
  if (parts.length !== 2) throw new UsageError(`Invalid topic arg '${argument}', expected topic name and partitions`)
  const partitions = parts[1]!.split(',').map((text) => {
    if (!/^[-+]?\d+$/.test(text)) throw new UsageError(`Invalid partition '${text}' specified in topic arg '${argument}''`)
    return Number(text)
  })
  return { topic: parts[0]!, partitions }
}
