import { JSON_OPTION } from '../tool/json'
import { UsageError } from '../tool/command-line'
import type { CommandLine } from '../tool/command-line'
import type { OptionSpec } from '../tool/usage'

export const ACTIONS = ['generate', 'execute', 'verify', 'cancel', 'list'] as const
export type Action = (typeof ACTIONS)[number]

export const OPTIONS: readonly OptionSpec[] = [
  { name: 'verify', description: 'Shows what the reassignment of --reassignment-json-file is at, and ends its throttles when it is done.' },
  { name: 'generate', description: 'Proposes a reassignment, and does not carry it out.' },
  { name: 'execute', description: 'Starts the reassignment of --reassignment-json-file.' },
  { name: 'cancel', description: 'Cancels an active reassignment.' },
  { name: 'list', description: 'Lists all active reassignments.' },
  {
    name: 'bootstrap-server',
    argument: 'String: Server(s) to use for bootstrapping',
    description: 'REQUIRED. The servers to connect to, host:port and comma.',
  },
  {
    name: 'command-config',
    argument: 'String: Admin client property file',
    description: 'A property file with the configuration of the admin client.',
  },
  {
    name: 'reassignment-json-file',
    argument: 'String: manual assignment json file path',
    description:
      'A file with the reassignment. Its form:\n{"partitions":\n\t[{"topic": "foo",\n\t  "partition": 1,\n\t  "replicas": ' +
      '[1,2,3],\n\t  "log_dirs": ["dir1","dir2","dir3"] }],\n"version":1\n}\n"log_dirs" may be left out; "any" in it stands for ' +
      'whatever directory there is, a path for this very directory of the broker.',
  },
  {
    name: 'topics-to-move-json-file',
    argument: 'String: topics to reassign json file path',
    description:
      'A file with the topics that are to move to the brokers of --broker-list. Its form:\n{"topics":\n\t[{"topic": ' +
      '"foo"},{"topic": "foo1"}],\n"version":1\n}',
  },
  { name: 'broker-list', argument: 'String: brokerlist', description: 'The ids of the brokers to move to, by comma. For --generate.' },
  { name: 'disable-rack-aware', description: 'Pays no attention to racks.' },
  {
    name: 'throttle',
    argument: 'Long: throttle',
    description:
      'How many bytes a second may move between brokers, 1000 at least. With --execute; for a reassignment under way give it ' +
      'once more with --additional. (default: -1)',
  },
  {
    name: 'replica-alter-log-dirs-throttle',
    argument: 'Long: replicaAlterLogDirsThrottle',
    description:
      'How many bytes a second may move between log directories of a broker, 1000 at least. With --execute; for a reassignment ' +
      'under way give it once more with --additional. (default: -1)',
  },
  {
    name: 'timeout',
    argument: 'Long: timeout',
    description: 'How long to wait in ms until moves between log directories have begun. (default: 10000)',
  },
  { name: 'additional', description: 'Although others are under way; or to change the throttle of the one that is.' },
  { name: 'preserve-throttles', description: 'Leaves the throttles as they are.' },
  JSON_OPTION,
]

const REQUIRED: Readonly<Record<Action, readonly string[]>> = {
  verify: ['reassignment-json-file'],
  generate: ['topics-to-move-json-file', 'broker-list'],
  execute: ['reassignment-json-file'],
  cancel: ['reassignment-json-file'],
  list: [],
}

const PERMITTED: Readonly<Record<Action, readonly string[]>> = {
  verify: ['bootstrap-server', 'command-config', 'preserve-throttles', 'json'],
  generate: ['bootstrap-server', 'command-config', 'disable-rack-aware'],
  execute: ['additional', 'bootstrap-server', 'command-config', 'throttle', 'replica-alter-log-dirs-throttle', 'timeout'],
  cancel: ['bootstrap-server', 'command-config', 'preserve-throttles', 'timeout'],
  list: ['bootstrap-server', 'command-config', 'json'],
}

/** Complains as Kafka's ReassignPartitionsCommand does; gives the one action. `argv` says what came first. */
export function checkOptions(line: CommandLine, argv: readonly string[]): Action {
  const actions = ACTIONS.filter((action) => line.has(action))
  if (actions.length !== 1)
    throw new UsageError(`Command must include exactly one action: ${ACTIONS.map((action) => `--${action}`).join(', ')}`)
  const action = actions[0]!
  if (!line.has('bootstrap-server')) throw new UsageError('Please specify --bootstrap-server')
  line.requireAll(REQUIRED[action])
  const allowed = [action, ...REQUIRED[action], ...PERMITTED[action]]
  const typed = argv.filter((word) => word.startsWith('-')).map((word) => word.replace(/^--?/, '').split('=')[0]!)
  const given = OPTIONS.map(({ name }) => name).filter((name) => line.has(name))
  const inOrder = [...given].sort((a, b) => typed.findIndex((word) => a.startsWith(word)) - typed.findIndex((word) => b.startsWith(word)))
  const wrong = inOrder.find((name) => !allowed.includes(name))
  if (wrong !== undefined) throw new UsageError(`Option "[${wrong}]" can't be used with action "[${action}]"`)
  return action
}
