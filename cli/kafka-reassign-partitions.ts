import { MaintenanceAdmin } from '../client/admin/maintenance'
import { ErrorCode, ProtocolError } from '../protocol/errors'
import { assignReplicas } from '../protocol/rules/replica-assignment'
import { realEnvironment } from '../runtime/real'
import { directoryStates, moveDirectories, returns } from './reassign/directories'
import { OPTIONS, checkOptions } from './reassign/options'
import { byPartition, checkPlan, formatPlan, keyOf, parseMove, parsePlan } from './reassign/plan'
import { calculateMoves, clearThrottles, throttleDirectories, throttleMoves } from './reassign/throttles'
import { UsageError } from './tool/command-line'
import { printJson } from './tool/json'
import { exceptionText } from './tool/exceptions'
import { readTextFile } from './tool/json-input'
import { propertiesOf, runTool } from './tool/run'
import type { CommandLine } from './tool/command-line'
import type { Target } from './reassign/plan'
import type { TopicPartition } from '../client/leaders'

const PURPOSE = 'This tool helps to move topic partitions between replicas.'
const EXISTING =
  'Cannot execute because there is an existing partition assignment.  Use --additional to override this and create a new ' +
  'partition assignment in addition to the existing one. The --additional flag can also be used to change the throttle by ' +
  'resubmitting the current reassignment.'

const out = (text: string): void => void process.stdout.write(`${text}\n`)
const plural = (count: number): string => (count === 1 ? '' : 's')

/** Said in one line, without `Error:` in front. */
class TerseError extends Error {}

/** Every partition of these topics with its replicas. Throws if a topic is not there. */
async function assignmentOf(admin: MaintenanceAdmin, topics: readonly string[]): Promise<Target[]> {
  const described = await admin.describeTopics([...new Set(topics)])
  return described.flatMap(({ name, errorCode, partitions }) => {
    if (errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) throw new ProtocolError(errorCode, `Topic ${name} not found.`)
    if (errorCode !== 0) throw new ProtocolError(errorCode)
    return partitions.map(({ partition, replicas }) => ({ topic: name, partition, replicas }))
  })
}

async function generate(admin: MaintenanceAdmin, line: CommandLine): Promise<void> {
  const { brokers, topics } = parseMove(readTextFile(line.required('topics-to-move-json-file')), line.required('broker-list'))
  const current = await assignmentOf(admin, topics)
  const isRackAware = !line.has('disable-rack-aware')
  const nodes = (await admin.describeCluster()).nodes
    .filter(({ id }) => brokers.includes(id))
    .map(({ id, rack }) => ({ id, rack: isRackAware ? rack : null }))
  const withoutRack = nodes.filter(({ rack }) => rack === null).length
  if (isRackAware && withoutRack !== 0 && withoutRack !== nodes.length) {
    throw new Error(
      'Not all brokers have rack information. Add --disable-rack-aware in command line to make replica assignment without rack ' +
        'information.',
    )
  }
  const { random } = realEnvironment()
  const proposed = [...new Set(topics)].flatMap((topic) => {
    const partitions = current.filter((each) => each.topic === topic)
    const assignments = assignReplicas(nodes, partitions.length, partitions[0]!.replicas.length, { random: random })
    return assignments.map((replicas, partition) => ({ topic, partition, replicas }))
  })
  out(`Current partition replica assignment\n${formatPlan(current)}\n`)
  out(`Proposed partition reassignment configuration\n${formatPlan(proposed)}`)
}

async function execute(admin: MaintenanceAdmin, line: CommandLine): Promise<void> {
  const text = readTextFile(line.required('reassignment-json-file'))
  const [throttle, directoryThrottle] = [line.whole('throttle', -1), line.whole('replica-alter-log-dirs-throttle', -1)]
  const timeoutMs = line.whole('timeout', 10_000)
  const plan = parsePlan(text)
  checkPlan(plan)
  const { targets, directories } = plan
  const underWay = await admin.listPartitionReassignments()
  if (!line.has('additional') && underWay.length > 0) throw new TerseError(EXISTING)
  const alive = (await admin.describeCluster()).nodes.map(({ id }) => id)
  const unknown = [...new Set(targets.flatMap(({ replicas }) => replicas))].sort((a, b) => a - b).find((id) => !alive.includes(id))
  if (unknown !== undefined) throw new Error(`Unknown broker id ${unknown}`)
  const wanted = new Set(targets.map(keyOf))
  const current = (await assignmentOf(admin, targets.map(({ topic }) => topic))).filter((each) => wanted.has(keyOf(each)))
  const found = new Set(current.map(keyOf))
  const missing = [...wanted].filter((name) => !found.has(name))
  if (missing.length > 0) {
    throw new ProtocolError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Unable to find partition: ${missing.join(', ')}`)
  }
  out(`Current partition replica assignment\n\n${formatPlan(current)}\n`)
  out('Save this to use as the --reassignment-json-file option during rollback')
  if (throttle >= 0 || directoryThrottle >= 0) {
    out('Warning: You must run --verify periodically, until the reassignment completes, to ensure the throttle is removed.')
  }
  if (throttle >= 0) {
    const moves = calculateMoves(underWay, targets, new Map(current.map((each) => [keyOf(each), each.replicas])))
    await throttleMoves(admin, moves, throttle)
  }
  if (directoryThrottle >= 0) await throttleDirectories(admin, directories.map(({ brokerId }) => brokerId), directoryThrottle)
  await start(admin, targets)
  const names = [...targets].sort(byPartition).map(keyOf)
  out(`Successfully started partition reassignment${plural(names.length)} for ${names.join(',')}`)
  if (directories.length > 0) await moveDirectories(admin, directories, timeoutMs)
}

async function start(admin: MaintenanceAdmin, targets: readonly Target[]): Promise<void> {
  const errors = await admin.reassign(targets)
  if (errors.size === 0) return
  const failed = targets.filter((target) => errors.has(keyOf(target))).sort(byPartition)
  throw new TerseError(
    ['Error reassigning partition(s):', ...failed.map((target) => `${keyOf(target)}: ${errors.get(keyOf(target))!.message}`)].join('\n'),
  )
}

async function verify(admin: MaintenanceAdmin, line: CommandLine): Promise<void> {
  const { targets, directories } = parsePlan(readTextFile(line.required('reassignment-json-file')))
  const underWay = await admin.listPartitionReassignments()
  const moving = new Set(underWay.map(keyOf))
  const settled = [...new Set(targets.filter((target) => !moving.has(keyOf(target))).map(({ topic }) => topic))]
  const topics = new Map((await admin.describeTopics(settled)).map((topic) => [topic.name, topic]))
  const replicasOf = ({ topic, partition }: TopicPartition): number[] =>
    topics.get(topic)?.partitions.find((each) => each.partition === partition)?.replicas ?? []
  const isJson = line.has('json')
  const unique = [...new Map(targets.map((target) => [keyOf(target), target])).values()].sort(byPartition)
  if (!isJson) out('Status of partition reassignment:')
  for (const target of isJson ? [] : unique) {
    const name = keyOf(target)
    const replicas = replicasOf(target)
    if (moving.has(name)) out(`Reassignment of partition ${name} is still in progress.`)
    else if (replicas.join() === target.replicas.join()) out(`Reassignment of partition ${name} is completed.`)
    else {
      out(
        `There is no active reassignment of partition ${name}, but replica set is ${replicas.join(',')} rather than ` +
          `${target.replicas.join(',')}.`,
      )
    }
  }
  const states = await directoryStates(admin, directories)
  if (isJson) {
    const partitions = unique.map((target) => {
      const replicas = replicasOf(target)
      const isMoving = moving.has(keyOf(target))
      const isDone = !isMoving && replicas.join() === target.replicas.join()
      const { topic, partition, replicas: targetReplicas } = target
      return { topic, partition, replicas: isMoving ? null : replicas, targetReplicas, isReassigning: isMoving, isDone }
    })
    printJson({ partitions, replicaLogDirs: states.replicas })
  } else out(states.lines.join('\n'))
  if (underWay.length === 0 && !states.isMoving && !line.has('preserve-throttles'))
    await clearThrottles(admin, targets, isJson ? () => {} : out)
}

async function cancel(admin: MaintenanceAdmin, line: CommandLine): Promise<void> {
  const { targets, directories } = parsePlan(readTextFile(line.required('reassignment-json-file')))
  const timeoutMs = line.whole('timeout', 10_000)
  const wanted = new Set(targets.map(keyOf))
  const active = (await admin.listPartitionReassignments()).filter(
    (each) => wanted.has(keyOf(each)) && (each.addingReplicas.length === 0 || each.removingReplicas.length > 0),
  )
  if (active.length === 0) out('None of the specified partition reassignments are active.')
  else {
    active.sort(byPartition)
    const errors = await admin.reassign(active.map(({ topic, partition }) => ({ topic, partition, replicas: null })))
    const failed = active.filter((each) => errors.has(keyOf(each)))
    if (failed.length > 0) {
      const lines = failed.map((each) => `${keyOf(each)}: ${errors.get(keyOf(each))!.message}`)
      throw new TerseError([`Error cancelling partition reassignment${plural(failed.length)} for:`, ...lines].join('\n'))
    }
    out(`Successfully cancelled partition reassignment${plural(active.length)} for: ${active.map(keyOf).join(',')}`)
  }
  const back = await returns(admin, directories)
  // Without an end of the line, as in Kafka.
  if (back.length === 0) process.stdout.write('None of the specified partition moves are active.')
  else await moveDirectories(admin, back, timeoutMs)
  if (!line.has('preserve-throttles')) await clearThrottles(admin, targets, out)
}

async function list(admin: MaintenanceAdmin, line: CommandLine): Promise<void> {
  const active = (await admin.listPartitionReassignments()).sort(byPartition)
  if (line.has('json')) {
    printJson({ reassignments: active })
    return
  }
  if (active.length === 0) {
    out('No partition reassignments found.')
    return
  }
  out('Current partition reassignments:')
  for (const each of active) {
    const part = (what: string, ids: readonly number[]): string => (ids.length === 0 ? '' : ` ${what}: ${ids.join(',')}.`)
    out(`${keyOf(each)}:${part('replicas', each.replicas)}${part('adding', each.addingReplicas)}${part('removing', each.removingReplicas)}`)
  }
}

void runTool({
  purpose: PURPOSE,
  options: OPTIONS,
  failure: (message, error) => {
    if (error instanceof UsageError) return { err: message }
    return { out: error instanceof TerseError ? message : `Error: ${error instanceof ProtocolError ? exceptionText(error) : message}` }
  },
  async run(line) {
    if (process.argv.length === 2) throw new UsageError(PURPOSE)
    const action = checkOptions(line, process.argv.slice(2))
    const admin = new MaintenanceAdmin({ ...propertiesOf(line, 'command-config'), 'bootstrap.servers': line.required('bootstrap-server') })
    try {
      await { generate, execute, verify, cancel, list }[action](admin, line)
    } finally {
      await admin.close()
    }
  },
})
