import { ErrorCode } from '../protocol/errors'
import { ApiKey } from '../protocol/messages/apis'
import type { ListOffsetsRequest, ListOffsetsResponse } from '../protocol/messages/list-offsets'
import type { MetadataRequest, MetadataResponse } from '../protocol/messages/metadata'
import type { Input } from '../protocol/messages/schema'
import { ZERO_UUID } from '../protocol/rules/uuid'
import type { ControlConnection } from './channel'
import type { Broker, Partition } from './context'
import { entryKey } from './control-entries'
import { NO_LEADER, RECOVERED } from './leader-election'
import { PartitionReports } from './partition-reports'
import { decidePast } from './past'
import type { Past, ReplicaAnswer, Witness } from './past'
import type { Term } from './term'

/** So long a broker has to say what it knows; one that does not is asked again later. */
const PATIENCE_MS = 1500
const ASK_AGAIN_MS = 2000
const LATEST_TIMESTAMP = -1
const CONSUMER = -1
/** A consumer that any replica answers, not only the leader. */
const DEBUGGING_CONSUMER = -2
/** ListOffsets from 4 on and Metadata from 7 on tell of leader epochs, Metadata from 10 on of topic ids. */
const LIST_OFFSETS_VERSION = 4
const METADATA_VERSION = { withIds: 10, without: 7 }

/** What one broker said, by `entryKey`. */
interface Testimony {
  readonly broker: number
  readonly witnesses: ReadonlyMap<string, Witness>
  readonly answers: ReadonlyMap<string, ReplicaAnswer | 'none'>
}

/**
 * Finds the past of partitions whose state znode is missing or cannot be read, deleted or spoilt by hand before this controller was
 * elected. Their topics may be years old, and an election as for a new partition would begin at epoch 0 again, with a leader that may
 * lack what was committed. So the live brokers are asked: by Metadata who led and who was in sync, by ListOffsets which epoch each
 * replica has taken and how far its log goes. `decidePast` has the rule.
 */
export async function recoverLostStates(term: Term, candidates: Iterable<Partition>): Promise<void> {
  const { leadership, logger } = term
  const lost = [...candidates].filter((partition) => {
    return partition.leadership === undefined && partition.former === undefined && partition.topic.deletion === 'none'
  })
  if (lost.length === 0) return
  const testimonies = await askBrokers(term, lost)
  const versions = await leadership.versionsOfStates(lost)
  const reports = new PartitionReports(logger)
  for (const [index, partition] of lost.entries()) {
    const past = decidePast(factsOf(partition, testimonies))
    takePast(partition, past, versions[index], term.epoch)
    if (past.kind === 'new' && versions[index] === undefined) continue
    const what = past.kind === 'known' ? past.rule : past.kind === 'new' ? 'nobody knows it' : `waiting for ${past.waitsFor.join()}`
    reports.add('warn', partition, { past: what }, 'the state of a partition was lost')
  }
  reports.write()
  if (lost.some((partition) => partition.isPastUnknown)) term.putLater('lostStates', ASK_AGAIN_MS, { kind: 'Reconcile' })
}

/** Partitions about whose past nobody could be asked so far. */
export function pastUnknown(term: Term): Partition[] {
  return [...term.context.leaderless].filter((partition) => partition.isPastUnknown)
}

/** `version` is that of a state znode that cannot be read, undefined where there is none. */
function takePast(partition: Partition, past: Past, version: number | undefined, controllerEpoch: number): void {
  partition.isPastUnknown = past.kind === 'unknown'
  if (past.kind === 'unknown') return
  if (version === undefined) {
    if (past.kind === 'known') partition.former = past.state
    return
  }
  // The election of a leader writes over what is there.
  const nothing = { leader: NO_LEADER, leaderEpoch: -1, isr: partition.assignment.replicas, recoveryState: RECOVERED }
  partition.leadership = { ...(past.kind === 'known' ? past.state : nothing), partitionEpoch: version, controllerEpoch }
}

function factsOf(partition: Partition, testimonies: readonly Testimony[]) {
  const { replicas } = partition.assignment
  const key = entryKey(partition.topic.name, partition.index)
  const witnesses: Witness[] = []
  const answers = new Map<number, ReplicaAnswer | 'none'>()
  for (const { broker, witnesses: known, answers: told } of testimonies) {
    const witness = known.get(key)
    if (witness !== undefined) witnesses.push(witness)
    const answer = told.get(key)
    if (answer !== undefined && replicas.includes(broker)) answers.set(broker, answer)
  }
  return { replicas, witnesses, answers }
}

async function askBrokers(term: Term, partitions: readonly Partition[]): Promise<Testimony[]> {
  const testimonies = await Promise.all([...term.context.brokers.values()].map((broker) => askInTime(term, broker, partitions)))
  return testimonies.filter((testimony) => testimony !== undefined)
}

/** undefined: it did not answer, or not in time. */
function askInTime(term: Term, broker: Broker, partitions: readonly Partition[]): Promise<Testimony | undefined> {
  const connection = term.connect(broker)
  return new Promise((resolve) => {
    const silent = (reason: string): void => {
      term.logger.warn({ broker: broker.id, reason }, 'the broker could not be asked what it knows of partitions without a state')
      resolve(undefined)
    }
    const timer = term.env.clock.timer(PATIENCE_MS, () => {
      connection.close()
      silent('no answer in time')
    })
    ask(term, connection, broker.id, partitions).then(resolve, (error: unknown) => silent(String(error))).finally(() => {
      timer.cancel()
      connection.close()
    })
  })
}

async function ask(term: Term, connection: ControlConnection, broker: number, partitions: readonly Partition[]): Promise<Testimony> {
  await connection.connect()
  const names = [...new Set(partitions.map((partition) => partition.topic.name))]
  const { topicIds } = term.rules
  const request: Input<MetadataRequest> = { topics: names.map((name) => ({ name })), allowAutoTopicCreation: false }
  const version = topicIds ? METADATA_VERSION.withIds : METADATA_VERSION.without
  const metadata = await connection.send<typeof request, MetadataResponse>(
    ApiKey.metadata, request, { version, timeoutMs: PATIENCE_MS },
  )
  const witnesses = new Map<string, Witness>()
  const otherTopics = new Set<string>()
  for (const { name, topicId, partitions: known } of metadata.topics) {
    const topic = term.context.topics.get(name ?? '')
    if (topic === undefined) continue
    // It knows a topic of this name that was deleted; what it says of its partitions is about that one.
    if (topicId !== ZERO_UUID && topic.id !== undefined && topicId !== topic.id) otherTopics.add(topic.name)
    else for (const each of known) witnesses.set(entryKey(topic.name, each.partitionIndex), witnessOf(each))
  }
  const own = partitions.filter(({ assignment, topic }) => assignment.replicas.includes(broker) && !otherTopics.has(topic.name))
  const [offsets, led] = await Promise.all([
    listOffsets(connection, own, DEBUGGING_CONSUMER), listOffsets(connection, own, CONSUMER),
  ])
  const answers = new Map<string, ReplicaAnswer | 'none'>()
  for (const [key, { errorCode, leaderEpoch, offset }] of offsets) {
    const leads = LEADERS_ANSWERS.has(led.get(key)?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR)
    if (errorCode === ErrorCode.NONE) answers.set(key, { leaderEpoch, endOffset: offset, leads })
    else if (NO_REPLICA.has(errorCode)) answers.set(key, 'none')
  }
  for (const { topic, index } of partitions) if (otherTopics.has(topic.name)) answers.set(entryKey(topic.name, index), 'none')
  return { broker, witnesses, answers }
}

/** A leader's: its latest offset, or that it is not known yet (KIP-207). */
const LEADERS_ANSWERS = new Set<number>([ErrorCode.NONE, ErrorCode.OFFSET_NOT_AVAILABLE, ErrorCode.LEADER_NOT_AVAILABLE])
const NO_REPLICA = new Set<number>([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.NOT_LEADER_OR_FOLLOWER])

function witnessOf({ leaderId, leaderEpoch, isrNodes }: MetadataResponse['topics'][number]['partitions'][number]): Witness {
  return { leader: leaderId, leaderEpoch, isr: isrNodes }
}

type ListedOffset = ListOffsetsResponse['topics'][number]['partitions'][number]

async function listOffsets(
  connection: ControlConnection, partitions: readonly Partition[], replicaId: number,
): Promise<Map<string, ListedOffset>> {
  if (partitions.length === 0) return new Map()
  const topics = new Map<string, { partitionIndex: number; timestamp: number }[]>()
  for (const { topic, index } of partitions) {
    const asked = topics.get(topic.name) ?? []
    topics.set(topic.name, asked)
    asked.push({ partitionIndex: index, timestamp: LATEST_TIMESTAMP })
  }
  const request: Input<ListOffsetsRequest> = {
    replicaId, isolationLevel: 0, topics: [...topics].map(([name, asked]) => ({ name, partitions: asked })),
  }
  const response = await connection.send<typeof request, ListOffsetsResponse>(
    ApiKey.listOffsets, request, { version: LIST_OFFSETS_VERSION, timeoutMs: PATIENCE_MS },
  )
  const offsets = new Map<string, ListedOffset>()
  for (const { name, partitions: answered } of response.topics) {
    for (const each of answered) offsets.set(entryKey(name, each.partitionIndex), each)
  }
  return offsets
}
