import { ErrorCode, errorMessage } from '../../protocol/errors'
import type { CreatableTopicResult, CreateTopicsResponse } from '../../protocol/messages/create-topics'
import type { Input } from '../../protocol/messages/schema'
import { randomUuid } from '../../protocol/rules/uuid'
import { deleteTopicPath } from '../../zk-schema/admin'
import { configPath, encodeConfig } from '../../zk-schema/configs'
import type { Op } from '../../zk-schema/session/session'
import { partitionsPath, topicPath } from '../../zk-schema/topics'
import { plainAssignment } from '../assignment'
import type { Partition, Topic } from '../context'
import { electInitialLeader, isElected } from '../leader-election'
import type { Elected } from '../leader-election'
import { createOp, createStateOps } from '../leadership-writer'
import type { Term } from '../term'
import { planTopic, quotaExceeded, topicExists, topicMarkedForDeletion, TopicRefusal } from '../topic-validation'
import type { TopicFacts, TopicPlan } from '../topic-validation'
import { topicData } from '../topic-znode'
import type { EventOf, MutationAllowance } from './event'
import { onNewPartitions } from './topic-change'

/** Partitions whose states are written along with the topic, in one multi. */
const PARTITIONS_IN_FIRST_WRITE = 100
/** Planned in one go, on the event loop and in memory; KRaft's controller has such a limit, too. What begins below it may go beyond. */
const MAX_PARTITIONS_IN_REQUEST = 20_000
/** Topics whose znodes are asked for at a time: the session's queue is bounded. */
const TOPICS_AT_A_TIME = 1000
/** A znode beyond this cannot be read back through ZooKeeper's default limit of a packet. */
const MAX_TOPIC_BYTES = 900_000

interface Creation {
  readonly name: string
  readonly id: string | undefined
  readonly plan: TopicPlan
  readonly data: Buffer
  /** By partition, for those that have a live replica and are written with the topic. */
  readonly leaders: ReadonlyMap<number, Elected>
}

/** CreateTopics: checks, then configuration, topic and partition states in as few writes as possible, then the brokers. */
export async function onCreateTopics(term: Term, event: EventOf<'CreateTopics'>): Promise<Input<CreateTopicsResponse>> {
  const { request } = event
  const counts = new Map<string, number>()
  for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1)
  const planned = new Map<string, TopicPlan>()
  const refusals = new Map<string, TopicRefusal>()
  // What is only validated comes into nobody's way.
  const facts = topicFacts(term, request.validateOnly ? new Map() : planned)
  let partitions = 0
  for (const topic of request.topics) {
    try {
      if (partitions >= MAX_PARTITIONS_IN_REQUEST) throw new TopicRefusal(ErrorCode.POLICY_VIOLATION, 'Excessively large number of partitions per request.')
      if (counts.get(topic.name)! > 1) throw new TopicRefusal(ErrorCode.INVALID_REQUEST, 'Found multiple entries for this topic.')
      const plan = planTopic(topic, facts)
      partitions += plan.replicas.size
      planned.set(topic.name, plan)
    } catch (error) {
      if (!(error instanceof TopicRefusal)) throw error
      refusals.set(topic.name, error)
    }
  }
  const created = request.validateOnly ? new Map<string, Topic>() : await create(term, planned, refusals, event.allowance)
  const isLate = request.timeoutMs <= 0 && !request.validateOnly
  return {
    topics: request.topics.map(
      ({ name }) => resultOf(term, name, planned.get(name), created.get(name), refusals.get(name), isLate),
    ),
  }
}

function topicFacts(term: Term, planned: ReadonlyMap<string, TopicPlan>): TopicFacts {
  const { context, config, env } = term
  const isKnown = (name: string) => context.topics.has(name) || context.malformedTopics.has(name)
  return {
    topicExists: isKnown,
    isBeingDeleted: (name) => (context.topics.get(name)?.deletion ?? 'none') !== 'none',
    allTopics: () => [...context.topics.keys(), ...context.malformedTopics.keys(), ...planned.keys()],
    brokers: context.liveBrokerIds().map((id) => context.brokers.get(id)!),
    numPartitions: config.numPartitions,
    defaultReplicationFactor: config.defaultReplicationFactor,
    topicDefaults: config.topicDefaults(),
    random: env.random,
  }
}

async function create(
  term: Term, planned: ReadonlyMap<string, TopicPlan>, refusals: Map<string, TopicRefusal>,
  allowance: MutationAllowance | undefined,
): Promise<Map<string, Topic>> {
  const creations: Creation[] = []
  const configs = await existingConfigs(term, [...planned.keys()], refusals)
  for (const [name, plan] of planned) {
    if (refusals.has(name)) continue
    const creation = prepare(term, name, plan)
    if (creation.data.length > MAX_TOPIC_BYTES) {
      refusals.set(
        name, new TopicRefusal(ErrorCode.INVALID_PARTITIONS, `The assignment of topic '${name}' does not fit into a znode.`),
      )
    } else if (allowance?.record(plan.replicas.size) === false) refusals.set(name, quotaExceeded())
    else creations.push(creation)
  }
  const results = await term.writer.write(
    creations.map((creation) => ({ ops: createOps(term, creation, configs.get(creation.name)) })),
  )
  const created = new Map<string, Topic>()
  for (const [index, creation] of creations.entries()) {
    const result = results[index]!
    const written = result.ok ? result.results[1] : undefined
    if (written?.type === 'create') created.set(creation.name, enter(term, creation, written.czxid))
    else if (!result.ok && result.code === 'NODE_EXISTS') refusals.set(creation.name, topicExists(creation.name))
    else {
      term.logger.error({ topic: creation.name, result }, 'cannot create the topic')
      refusals.set(creation.name, new TopicRefusal(ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage(ErrorCode.UNKNOWN_SERVER_ERROR)))
    }
  }
  await bringOnline(term, creations.filter(({ name }) => created.has(name)), created)
  return created
}

/** Versions of configurations that are there already: orphans of a creation that was cut short. Refuses topics that are there. */
async function existingConfigs(term: Term, names: string[], refusals: Map<string, TopicRefusal>): Promise<Map<string, number>> {
  const { session } = term
  const wanted = names.filter((name) => !refusals.has(name))
  const stats = []
  for (let start = 0; start < wanted.length; start += TOPICS_AT_A_TIME) {
    stats.push(...await Promise.all(wanted.slice(start, start + TOPICS_AT_A_TIME).map((name) => Promise.all([
      session.exists(configPath('topics', name)), session.exists(topicPath(name)), session.exists(deleteTopicPath(name)),
    ]))))
  }
  const versions = new Map<string, number>()
  for (const [index, name] of wanted.entries()) {
    const [config, topic, marker] = stats[index]!
    if (config !== undefined) versions.set(name, config.version)
    if (marker !== undefined && topic !== undefined) {
      refusals.set(name, topicMarkedForDeletion(name))
    } else if (topic !== undefined) refusals.set(name, topicExists(name))
  }
  return versions
}

function prepare(term: Term, name: string, plan: TopicPlan): Creation {
  const { context, env, rules } = term
  const id = rules.topicIds ? randomUuid(env.random) : undefined
  const assignments = [...plan.replicas].sort(([a], [b]) => a - b)
  const data = topicData(id, assignments.map(([index, replicas]) => [index, plainAssignment(replicas)] as const))
  const leaders = new Map<number, Elected>()
  for (const [index, replicas] of assignments.slice(0, PARTITIONS_IN_FIRST_WRITE)) {
    const election = electInitialLeader(replicas, (broker) => context.isLive(broker) && !context.owesDeletion(broker, name))
    if (isElected(election)) leaders.set(index, election)
  }
  return { name, id, plan, data, leaders }
}

/** The order is Kafka's: configuration, topic, partitions. */
function createOps(term: Term, creation: Creation, configVersion: number | undefined): Op[] {
  const { name, plan, data, leaders } = creation
  const path = configPath('topics', name)
  const config = encodeConfig(plan.config)
  return [
    configVersion === undefined ? createOp(path, config) : { type: 'set', path, data: config, version: configVersion },
    createOp(topicPath(name), data),
    ...(leaders.size === 0 ? [] : [createOp(partitionsPath(name), null)]),
    ...[...leaders].flatMap(([index, leader]) => createStateOps({ topic: { name }, index }, leader, term.epoch)),
  ]
}

function enter(term: Term, creation: Creation, czxid: number): Topic {
  const { context, logger } = term
  const topic = context.addTopic(creation.name, creation.id, czxid, 0)
  for (const [index, replicas] of creation.plan.replicas) context.addPartition(topic, index, plainAssignment(replicas))
  logger.info({ topic: topic.name, id: topic.id, partitions: topic.partitions.size }, 'created the topic')
  return topic
}

async function bringOnline(term: Term, creations: readonly Creation[], created: ReadonlyMap<string, Topic>): Promise<void> {
  const { changes, loader } = term
  const written = new Map<Partition, Elected>()
  const rest: Partition[] = []
  for (const { name, leaders } of creations) {
    for (const partition of created.get(name)!.partitions.values()) {
      const leader = leaders.get(partition.index)
      if (leader === undefined) rest.push(partition)
      else written.set(partition, leader)
    }
  }
  // All is written before anything is sent: the brokers, this one too, are busy with new logs for a while then.
  await onNewPartitions(term, rest)
  await changes.enterCreated(written)
  // Arms the watches, and sees whether somebody was quicker than they are.
  const { topics } = await loader.topics([...created.keys()])
  for (const topic of created.values()) {
    const node = topics.get(topic.name)
    const isOurs = node?.czxid === topic.czxid && node.version === topic.version
    if (!isOurs) term.put({ kind: 'PartitionModifications', topic: topic.name })
  }
}

function resultOf(
  term: Term,
  name: string,
  plan: TopicPlan | undefined,
  topic: Topic | undefined,
  refusal: TopicRefusal | undefined,
  isLate: boolean,
): Input<CreatableTopicResult> {
  if (refusal !== undefined || plan === undefined) {
    return {
      name, errorCode: refusal?.code ?? ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage: refusal?.message ?? null, configs: [],
    }
  }
  const id = topic?.id === undefined ? {} : { topicId: topic.id }
  // Kafka does not wait, and says so, where it may not.
  if (isLate) return { name, ...id, errorCode: ErrorCode.REQUEST_TIMED_OUT, errorMessage: null, configs: [] }
  return {
    name, ...id, errorMessage: null, numPartitions: plan.replicas.size, replicationFactor: plan.replicas.get(0)!.length,
    configs: term.config.describeTopicConfig(Object.fromEntries(plan.config)),
  }
}
