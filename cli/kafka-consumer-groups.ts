import { readFileSync } from 'node:fs'
import { Admin } from '../client/admin'
import { ErrorCode, ProtocolError } from '../protocol/errors'
import { formatCsv, parseCsv } from './consumer-groups/csv'
import { collectOffsets, remarkOn, settled } from './consumer-groups/describe'
import { OPTIONS, checkOptions, partitionsOfArgument, statesOf, typesOf } from './consumer-groups/options'
import { ResetPlanner } from './consumer-groups/reset'
import { deletedOffsetsTable, listTable, membersTable, offsetsTable, planTable, stateTable } from './consumer-groups/tables'
import { descriptionJson, listingJson } from './consumer-groups/json'
import { printJson } from './tool/json'
import { exceptionText } from './tool/exceptions'
import { UsageError } from './tool/command-line'
import { propertiesOf, runTool } from './tool/run'
import type { CommandLine } from './tool/command-line'
import type { ConsumerGroupListing } from '../client/admin/groups'
import type { DeletedOffset } from './consumer-groups/tables'
import type { Planned } from './consumer-groups/csv'
import type { TopicPartition } from '../client/leaders'

const out = (text: string): void => void process.stdout.write(text)
const err = (text: string): void => void process.stderr.write(text)

async function groupsOf(admin: Admin, options: { states?: string[]; types?: string[] } = {}): Promise<ConsumerGroupListing[]> {
  const { groups, errors } = await admin.listConsumerGroups(options)
  if (errors[0] !== undefined) throw errors[0].error
  return groups
}

async function selected(admin: Admin, line: CommandLine): Promise<string[]> {
  return line.has('all-groups') ? (await groupsOf(admin)).map(({ groupId }) => groupId) : [...new Set(line.values('group'))]
}

async function list(admin: Admin, line: CommandLine): Promise<void> {
  const [withState, withType] = [line.has('state'), line.has('type')]
  const types = typesOf(line.text('type', ''))
  const groups = await groupsOf(admin, { states: statesOf(line.text('state', '')), types })
  if (line.has('json')) printJson({ groups: groups.map(listingJson) })
  else if (withState || withType) out(listTable(groups, withType, withState))
  else for (const { groupId } of groups) out(`${groupId}\n`)
}

async function describe(admin: Admin, line: CommandLine): Promise<void> {
  const descriptions = settled(await admin.describeConsumerGroups(await selected(admin, line))).map(
    ([, description]) => description,
  )
  const view = line.has('members') ? 'members' : line.has('state') ? 'state' : 'offsets'
  const rows = view === 'offsets' ? await collectOffsets(admin, descriptions) : undefined
  if (line.has('json')) {
    printJson({ groups: descriptions.map((each) => descriptionJson(each, view === 'members', rows?.get(each.groupId))) })
    return
  }
  for (const description of descriptions) {
    const { groupId, state } = description
    const remark = remarkOn(groupId, state)
    if (remark.out !== undefined) out(remark.out)
    if (remark.err !== undefined) err(remark.err)
    if (view === 'members') out(membersTable(description, line.has('verbose')))
    else if (state === 'Dead') continue
    else if (view === 'state') out(stateTable(description))
    else if (rows!.get(groupId)!.length > 0) out(offsetsTable(rows!.get(groupId)!))
  }
}

async function deleteGroups(admin: Admin, line: CommandLine): Promise<void> {
  const results = [...(await admin.deleteConsumerGroups(await selected(admin, line)))]
  const failed = results.filter(([, error]) => error !== undefined)
  const deleted = results.filter(([, error]) => error === undefined).map(([group]) => group)
  if (failed.length === 0) {
    out(`Deletion of requested consumer groups ('${deleted.join(', ')}') was successful.\n`)
    return
  }
  out('\nError: Deletion of some consumer groups failed:\n')
  for (const [group, error] of failed)
    out(`* Group '${group}' could not be deleted due to: java.util.concurrent.ExecutionException: ${exceptionText(error)}\n`)
  if (deleted.length > 0) out(`\nThese consumer groups were deleted successfully: '${deleted.join("', '")}'\n`)
}

/** What the error of the group is, of the request as a whole, or of a partition: by its code. */
function complaintOn(group: string, error: unknown): string {
  const code = error instanceof ProtocolError ? error.code : undefined
  switch (code) {
    case ErrorCode.INVALID_GROUP_ID:
      return `'${group}' is not valid.`
    case ErrorCode.GROUP_ID_NOT_FOUND:
      return `'${group}' does not exist.`
    case ErrorCode.GROUP_AUTHORIZATION_FAILED:
      return `Access to '${group}' is not authorized.`
    case ErrorCode.NON_EMPTY_GROUP:
      return `Deleting offsets of a consumer group '${group}' is forbidden if the group is not empty.`
    case ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC:
    case ErrorCode.TOPIC_AUTHORIZATION_FAILED:
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
      return 'Encounter some partition level error, see the follow-up details:'
    default:
      return `Encounter some unknown error: ${exceptionText(error)}`
  }
}

async function deleteOffsets(admin: Admin, line: CommandLine): Promise<void> {
  const [group] = line.values('group')
  const topics = line.values('topic')
  const results: DeletedOffset[] = []
  const partitions: TopicPartition[] = topics
    .filter((topic) => topic.includes(':'))
    .map(partitionsOfArgument)
    .flatMap(({ topic, partitions: numbers }) => numbers.map((partition) => ({ topic, partition })))
  for (const topic of topics.filter((name) => !name.includes(':'))) {
    try {
      const [found] = await admin.describeTopics([topic])
      if (found === undefined || found.errorCode !== 0)
        throw new ProtocolError(found?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      for (const { partition } of found.partitions) partitions.push({ topic, partition })
    } catch (error) {
      results.push({ topic, partition: -1, error: exceptionText(error) })
    }
  }
  let failure: unknown
  try {
    for (const { topic, partition, error } of await admin.deleteConsumerGroupOffsets(group!, partitions)) {
      failure ??= error
      results.push({ topic, partition, error: error === undefined ? undefined : exceptionText(error) })
    }
  } catch (error) {
    failure = error
    for (const each of partitions) results.push({ ...each, error: exceptionText(error) })
  }
  if (failure === undefined) out(`Request succeed for deleting offsets with topic ${topics.join(', ')} group ${group!}\n`)
  else out(`\nError: ${complaintOn(group!, failure)}\n`)
  out(deletedOffsetsTable(results))
}

async function resetOffsets(admin: Admin, line: CommandLine): Promise<void> {
  const groups = line.values('group')
  const fromFile = line.has('from-file') ? parseCsv(readFileSync(line.required('from-file'), 'utf8'), groups) : undefined
  const planner = new ResetPlanner(admin, line, fromFile, Date.now(), { out, err })
  const plan = new Map<string, Planned[]>()
  for (const [group, { state }] of settled(await admin.describeConsumerGroups(await selected(admin, line)))) {
    if (state !== 'Empty' && state !== 'Dead') {
      out(`\nError: Assignments can only be reset if the group '${group}' is inactive, but the current state is ${state}.\n`)
      plan.set(group, [])
      continue
    }
    const planned = await planner.plan(group)
    if (line.has('execute')) {
      for (const { error } of await admin.alterConsumerGroupOffsets(group, planned)) if (error !== undefined) throw error
    }
    plan.set(group, planned)
  }
  out(line.has('export') ? `${formatCsv(plan, groups.length !== 1)}\n` : planTable(plan))
}

const PURPOSE =
  'This tool helps to list all consumer groups, describe a consumer group, delete consumer group info, or reset consumer ' +
  'group offsets.'

void runTool({
  purpose: PURPOSE,
  options: OPTIONS,
  async run(line) {
    if (process.argv.length === 2) throw new UsageError(PURPOSE)
    const action = checkOptions(line, (text) => err(`${text}\n`))
    let admin: Admin | undefined
    try {
      const timeoutMs = line.whole('timeout', 5000)
      admin = new Admin({
        ...propertiesOf(line, 'command-config'),
        'default.api.timeout.ms': timeoutMs,
        'request.timeout.ms': timeoutMs,
        'bootstrap.servers': line.required('bootstrap-server'),
      })
      const actions = { list, describe, delete: deleteGroups, 'reset-offsets': resetOffsets, 'delete-offsets': deleteOffsets }
      await actions[action](admin, line)
    } catch (error) {
      if (error instanceof UsageError && error.withUsage) throw error
      // Kafka's tool ends with 0 after what the cluster has refused.
      const say = line.has('json') ? err : out
      say(`\nError: Executing consumer group command failed due to ${exceptionText(error)}\n`)
    } finally {
      await admin?.close()
    }
  },
})
