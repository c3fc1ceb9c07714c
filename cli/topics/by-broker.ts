import { Admin, ResourceType } from '../../client/admin'
import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { isInternalTopic } from '../../protocol/rules/topic-name'
import { ZERO_UUID, uuidFromBytes } from '../../protocol/rules/uuid'
import { propertiesOf } from '../tool/run'
import { describeJson, describeLines } from './describe'
import { parseAssignment, parseConfigs, topicFilter } from './options'
import type { Action } from './options'
import type { CommandLine } from '../tool/command-line'
import type { DescribedTopic } from './describe'
import type { TopicMetadata } from '../../client/cluster'

const MOST_REPLICATION_FACTOR = 32_767

/** Source of a configuration value that is nobody's but Kafka's own. */
const DEFAULT_CONFIG = 5

/** Carries out one action over Kafka's protocol. Gives the lines to print. */
export async function byBroker(action: Action, line: CommandLine): Promise<string[]> {
  const admin = new Admin({ ...propertiesOf(line, 'command-config'), 'bootstrap.servers': line.required('bootstrap-server') })
  try {
    switch (action) {
      case 'create':
        return await create(admin, line)
      case 'list':
        return list(await matching(admin, line), line)
      case 'describe':
        return await describe(admin, line)
      case 'alter':
        return await alter(admin, line)
      case 'delete':
        return await remove(admin, line)
      default:
        return action satisfies never
    }
  } finally {
    await admin.close()
  }
}

interface Listing {
  name: string
  topicId: string
  isInternal: boolean
}

function list(topics: readonly Listing[], line: CommandLine): string[] {
  return [line.has('json') ? JSON.stringify({ topics }) : topics.map(({ name }) => name).join('\n')]
}

async function matching(admin: Admin, line: CommandLine): Promise<Listing[]> {
  const expression = line.value('topic')
  const wanted = expression === undefined ? () => true : topicFilter(expression)
  const topics = await admin.listTopics()
  return topics.filter(({ name }) => wanted(name) && !(line.has('exclude-internal') && isInternalTopic(name)))
}

async function existing(admin: Admin, line: CommandLine): Promise<string[]> {
  const topics = (await matching(admin, line)).map(({ name }) => name)
  const asked = line.value('topic')
  if (topics.length === 0 && asked !== undefined && asked !== '' && !line.has('if-exists'))
    throw new Error(`Topic 'Optional[${asked}]' does not exist as expected`)
  return topics
}

async function create(admin: Admin, line: CommandLine): Promise<string[]> {
  const name = line.required('topic')
  const replicationFactor = line.whole('replication-factor')
  const partitions = line.whole('partitions')
  const assignment = line.value('replica-assignment')
  const configs = parseConfigs(line)
  if (replicationFactor !== undefined && (replicationFactor < 1 || replicationFactor > MOST_REPLICATION_FACTOR)) {
    throw new Error(`The replication factor must be between 1 and ${MOST_REPLICATION_FACTOR} inclusive`)
  }
  if (partitions !== undefined && partitions < 1) throw new Error('The partitions must be greater than 0')
  try {
    await admin.createTopics([
      {
        name,
        partitions,
        replicationFactor,
        assignments: assignment === undefined ? undefined : parseAssignment(assignment),
        configs,
      },
    ])
  } catch (error) {
    if (line.has('if-not-exists') && error instanceof ProtocolError && error.code === ErrorCode.TOPIC_ALREADY_EXISTS) return []
    throw error
  }
  return [`Created topic ${name}.`]
}

async function alter(admin: Admin, line: CommandLine): Promise<string[]> {
  const topics = await existing(admin, line)
  const count = line.whole('partitions')!
  const assignment = line.value('replica-assignment')
  const described = await admin.describeTopics(topics)
  if (topics.length > 0) {
    await admin.createPartitions(
      described.map(({ name, partitions }) => ({
        name,
        count,
        assignments: assignment === undefined ? undefined : parseAssignment(assignment).slice(partitions.length),
      })),
    )
  }
  return []
}

async function remove(admin: Admin, line: CommandLine): Promise<string[]> {
  const topics = await existing(admin, line)
  if (topics.length > 0) await admin.deleteTopics(topics)
  return []
}

async function describe(admin: Admin, line: CommandLine): Promise<string[]> {
  const topics = await admin.describeTopics(await named(admin, line))
  if (topics.length === 0) return line.has('json') ? [JSON.stringify({ topics: [] })] : []
  const [configs, cluster, reassignments] = await Promise.all([
    admin.describeConfigsOf(topics.map(({ name }) => ({ resourceType: ResourceType.topic, resourceName: name }))),
    admin.describeCluster(),
    // An older or stricter broker that does not tell is no failure of describe.
    admin.listPartitionReassignments().catch(() => []),
  ])
  const configOf = new Map(configs.map((each) => [each.resourceName, each.configs]))
  const described = topics.map((topic: TopicMetadata): DescribedTopic => {
    const entries = configOf.get(topic.name) ?? []
    return {
      name: topic.name,
      topicId: topic.topicId,
      partitions: topic.partitions.map(({ partition, leader, replicas, isr }) => {
        const moving = reassignments.find((each) => each.topic === topic.name && each.partition === partition)
        return {
          partition,
          leader,
          replicas,
          isr,
          reassignment: moving && { replicas: moving.replicas, adding: moving.addingReplicas, removing: moving.removingReplicas },
        }
      }),
      overrides: entries
        .filter(({ configSource }) => configSource !== DEFAULT_CONFIG)
        .map(({ name, value }) => ({ name, value })),
      minInsyncReplicas: Number(entries.find(({ name }) => name === 'min.insync.replicas')?.value ?? 1),
      markedForDeletion: false,
    }
  })
  const alive = new Set(cluster.nodes.map(({ id }) => id))
  return line.has('json') ? [JSON.stringify(describeJson(described, line, alive))] : describeLines(described, line, alive)
}

async function named(admin: Admin, line: CommandLine): Promise<string[]> {
  const typed = line.value('topic-id')
  const topicId = typed === undefined ? undefined : canonicalId(typed)
  if (topicId === undefined || topicId === ZERO_UUID) return existing(admin, line)
  const found = (await admin.listTopics()).filter((topic) => topic.topicId === topicId).map(({ name }) => name)
  if (found.length === 0 && !line.has('if-exists')) throw new Error(`TopicId '${topicId}' does not exist as expected`)
  return found
}

/** What Java's decoder says of base64 that is none. */
function base64Complaint(typed: string): string | undefined {
  const wrong = /[^\w-]/.exec(typed.replace(/={1,2}$/, ''))
  if (wrong !== null) return `Illegal base64 character ${wrong[0].charCodeAt(0).toString(16)}`
  const { length } = typed.replace(/=+$/, '')
  if (length % 4 !== 1) return undefined
  return length === 1 ? 'Input byte[] should at least have 2 bytes for base64 bytes' : 'Last unit does not have enough valid bits'
}

const ID_BYTES = 16
const LONGEST_ID = 24

/** An id may be typed with padding, or with other bits behind its last byte. */
function canonicalId(typed: string): string {
  if (typed.length > LONGEST_ID)
    throw new Error(`Input string with prefix \`${typed.slice(0, LONGEST_ID)}\` is too long to be decoded as a base64 UUID`)
  const complaint = base64Complaint(typed)
  if (complaint !== undefined) throw new Error(complaint)
  const bytes = Buffer.from(typed, 'base64url')
  if (bytes.length !== ID_BYTES) {
    throw new Error(
      `Input string \`${typed}\` decoded as ${bytes.length} bytes, which is not equal to the expected ${ID_BYTES} ` +
        'bytes of a base64-encoded UUID',
    )
  }
  return uuidFromBytes(bytes)
}
