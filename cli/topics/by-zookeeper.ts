import { createLogger } from '../../runtime/log'
import { assignReplicas, startIndexForAddedPartitions } from '../../protocol/rules/replica-assignment'
import { brokerIdPath, brokerIdsPath, decodeBroker } from '../../zk-schema/brokers'
import { collides, isInternalTopic, validateTopicName } from '../../protocol/rules/topic-name'
import { configPath, decodeConfig, encodeConfig } from '../../zk-schema/configs'
import { decodePartitionState, decodeTopic, encodeTopic, partitionStatePath, topicPath, topicsPath } from '../../zk-schema/topics'
import { deleteTopicPath, deleteTopicsPath } from '../../zk-schema/admin'
import { openSession } from '../../zk-schema/session/session'
import { randomUuid, ZERO_UUID } from '../../protocol/rules/uuid'
import { realEnvironment } from '../../runtime/real'
import { validateTopicConfig } from '../../protocol/rules/topic-config'
import { describeJson, describeLines } from './describe'
import { parseAssignment, parseConfigs, topicFilter } from './options'
import type { Action } from './options'
import type { AssignableBroker } from '../../protocol/rules/replica-assignment'
import type { CommandLine } from '../tool/command-line'
import type { DescribedTopic } from './describe'
import type { TopicAssignment } from '../../zk-schema/topics'
import type { ZooKeeperSession } from '../../zk-schema/session/session'

/** Carries out one action on the znodes, as Kafka 2.8's `--zookeeper` did. Gives the lines to print. */
export async function byZooKeeper(action: Action, line: CommandLine): Promise<string[]> {
  const session = await openSession(realEnvironment(), {
    connect: line.required('zookeeper'),
    sessionTimeoutMs: 30_000,
    connectionTimeoutMs: 30_000,
    logger: createLogger({ level: 'silent', name: 'kafka-topics' }),
  })
  try {
    switch (action) {
      case 'create':
        return await create(session, line)
      case 'list':
        return await list(session, line)
      case 'describe':
        return await describe(session, line)
      case 'alter':
        return await alter(session, line)
      case 'delete':
        return await remove(session, line)
      default:
        return action satisfies never
    }
  } finally {
    await session.close()
  }
}

async function allTopics(session: ZooKeeperSession): Promise<string[]> {
  return ((await session.children(topicsPath))?.names ?? []).sort()
}

async function existing(session: ZooKeeperSession, line: CommandLine): Promise<string[]> {
  const expression = line.value('topic')
  const wanted = expression === undefined ? () => true : topicFilter(expression)
  const topics = (await allTopics(session)).filter(
    (topic) => wanted(topic) && !(line.has('exclude-internal') && isInternalTopic(topic)),
  )
  if (topics.length === 0 && expression !== undefined && !line.has('if-exists'))
    throw new Error(`Topic '${expression}' does not exist as expected`)
  return topics
}

async function brokers(session: ZooKeeperSession): Promise<AssignableBroker[]> {
  const ids = ((await session.children(brokerIdsPath))?.names ?? []).map(Number).sort((a, b) => a - b)
  const nodes = await session.getMany(ids.map(brokerIdPath))
  return ids.flatMap((id, index) => {
    const node = nodes[index]
    return node === undefined ? [] : [{ id, rack: decodeBroker(id, node.data).rack }]
  })
}

async function marked(session: ZooKeeperSession): Promise<Set<string>> {
  return new Set((await session.children(deleteTopicsPath))?.names ?? [])
}

async function create(session: ZooKeeperSession, line: CommandLine): Promise<string[]> {
  const name = line.required('topic')
  const problem = validateTopicName(name)
  if (problem !== undefined) throw new Error(problem)
  const topics = await allTopics(session)
  if (topics.includes(name)) {
    if (line.has('if-not-exists')) return []
    throw new Error(`Topic '${name}' already exists.`)
  }
  const colliding = topics.filter((topic) => collides(topic, name))
  if (colliding.length > 0) throw new Error(`Topic '${name}' collides with existing topics: ${colliding.join(', ')}`)
  const configs = parseConfigs(line)
  validateTopicConfig(configs)
  const env = realEnvironment()
  const assignment = line.value('replica-assignment')
  if (assignment === undefined) line.requireAll(['partitions', 'replication-factor'])
  const replicas =
    assignment === undefined
      ? assignReplicas(await brokers(session), line.whole('partitions', 1), line.whole('replication-factor', 1), {
          random: env.random,
        })
      : parseAssignment(assignment)
  const topic: TopicAssignment = {
    topicId: randomUuid(env.random),
    partitions: new Map(
      replicas.map((ids, partition) => [partition, { replicas: ids, addingReplicas: [], removingReplicas: [] }]),
    ),
  }
  const config = encodeConfig(new Map(Object.entries(configs)))
  if ((await session.exists(configPath('topics', name))) === undefined)
    await session.createRecursive(configPath('topics', name), config)
  else await session.set(configPath('topics', name), config, -1)
  await session.create(topicPath(name), encodeTopic(topic))
  return [`Created topic ${name}.`]
}

async function list(session: ZooKeeperSession, line: CommandLine): Promise<string[]> {
  const deleting = await marked(session)
  const expression = line.value('topic')
  const wanted = expression === undefined ? () => true : topicFilter(expression)
  const topics = (await allTopics(session)).filter(
    (topic) => wanted(topic) && !(line.has('exclude-internal') && isInternalTopic(topic)),
  )
  if (line.has('json')) {
    const listings = topics.map((name) => ({
      name,
      isInternal: isInternalTopic(name),
      ...(deleting.has(name) ? { isMarkedForDeletion: true } : {}),
    }))
    return [JSON.stringify({ topics: listings })]
  }
  return topics.map((topic) => (deleting.has(topic) ? `${topic} - marked for deletion` : topic))
}

async function alter(session: ZooKeeperSession, line: CommandLine): Promise<string[]> {
  const count = line.whole('partitions')!
  const text = line.value('replica-assignment')
  const lines: string[] = []
  for (const name of await existing(session, line)) {
    lines.push(
      'WARNING: If partitions are increased for a topic that has a key, the partition logic or ordering of the ' +
        'messages will be affected',
    )
    const node = await session.get(topicPath(name))
    if (node === undefined) continue
    const topic = decodeTopic(name, node.data)
    const { size } = topic.partitions
    if (count <= size)
      throw new Error(
        `The number of partitions for a topic can only be increased. Topic ${name} currently has ${size} partitions, ` +
          `${count} would not be an increase.`,
      )
    const first = topic.partitions.get(0)!.replicas
    const live = await brokers(session)
    const added =
      text === undefined
        ? assignReplicas(live, count - size, first.length, {
            startIndex: startIndexForAddedPartitions(live, first[0]!),
            firstPartition: size,
            random: realEnvironment().random,
          })
        : parseAssignment(text).slice(size)
    if (added.length !== count - size)
      throw new Error(
        `Unequal replication factor for existing partition assignment: ${added.length} assignments for ${count - size} ` +
          'new partitions',
      )
    added.forEach((replicas, index) => topic.partitions.set(size + index, { replicas, addingReplicas: [], removingReplicas: [] }))
    await session.set(topicPath(name), encodeTopic(topic), node.stat.version)
    lines.push('Adding partitions succeeded!')
  }
  return lines
}

async function remove(session: ZooKeeperSession, line: CommandLine): Promise<string[]> {
  const deleting = await marked(session)
  const lines: string[] = []
  for (const name of await existing(session, line)) {
    if (isInternalTopic(name))
      throw new Error(`Topic ${name} is a kafka internal topic and is not allowed to be marked for deletion.`)
    if (deleting.has(name)) {
      lines.push(`Topic ${name} is already marked for deletion.`)
      continue
    }
    await session.createRecursive(deleteTopicPath(name))
    lines.push(
      `Topic ${name} is marked for deletion.`,
      'Note: This will have no impact if delete.topic.enable is not set to true.',
    )
  }
  return lines
}

async function describe(session: ZooKeeperSession, line: CommandLine): Promise<string[]> {
  const deleting = await marked(session)
  const live = new Set((await brokers(session)).map(({ id }) => id))
  const described: DescribedTopic[] = []
  for (const name of await existing(session, line)) {
    const [topicNode, configNode] = await session.getMany([topicPath(name), configPath('topics', name)])
    if (topicNode === undefined) continue
    const topic = decodeTopic(name, topicNode.data)
    const config =
      configNode === undefined ? new Map<string, string>() : decodeConfig(configPath('topics', name), configNode.data)
    const partitions = [...topic.partitions.keys()]
    const states = await session.getMany(partitions.map((partition) => partitionStatePath(name, partition)))
    described.push({
      name,
      topicId: topic.topicId ?? ZERO_UUID,
      partitions: partitions.map((partition, index) => {
        const { replicas, addingReplicas: adding, removingReplicas: removing } = topic.partitions.get(partition)!
        const node = states[index]
        const state = node === undefined ? undefined : decodePartitionState(name, partition, node.data)
        return {
          partition,
          leader: state?.leader ?? -1,
          replicas,
          isr: state?.isr ?? [],
          reassignment: adding.length + removing.length > 0 ? { replicas, adding, removing } : undefined,
        }
      }),
      overrides: [...config].map(([key, value]) => ({ name: key, value })),
      minInsyncReplicas: Number(config.get('min.insync.replicas') ?? 1),
      markedForDeletion: deleting.has(name),
    })
  }
  return line.has('json') ? [JSON.stringify(describeJson(described, line, live))] : describeLines(described, line, live)
}
