/**
 * What groups and transactions cost, by raw requests to a cluster of three brokers: commits, rebalances, transactions, how fast a
 * coordinator loads its partition, and the memory that it takes for what it remembers.
 */
import { ApiKey } from '../protocol/messages/apis'
import { BatchBuilder } from '../protocol/records/records'
import { CONSUMER_PROTOCOL_TYPE, encodeAssignment, encodeSubscription } from '../client/group/protocol'
import { ErrorCode } from '../protocol/errors'
import { LiveMemory } from './live-memory'
import { ElectionType } from '../index'
import { apache, prekraft, residentMiB } from './clusters'
import { Bench, settled, sleep } from './raw-requests'
import { coordinatorPartition } from '../broker/coordinator/partition-for'
import type { AddPartitionsToTxnResponse } from '../protocol/messages/add-partitions-to-txn'
import type { EndTxnResponse } from '../protocol/messages/end-txn'
import type { InitProducerIdResponse } from '../protocol/messages/init-producer-id'
import type { JoinGroupResponse } from '../protocol/messages/join-group'
import type { KafkaConnection } from '../network/kafka-connection'
import type { OffsetCommitResponse } from '../protocol/messages/offset-commit'
import type { OffsetFetchResponse } from '../protocol/messages/offset-fetch'
import type { ProduceResponse } from '../protocol/messages/produce'
import type { Subject } from './clusters'
import type { SyncGroupResponse } from '../protocol/messages/sync-group'

interface Figure {
  value: number
  /** Of a rate more is better, of everything else less. */
  rate: boolean
}

const OFFSETS_TOPIC = '__consumer_offsets'
const OFFSETS_PARTITIONS = 10
const TOPIC = 'bench'
const TOPIC_PARTITIONS = 100
/** So many that the code of either broker is compiled. */
const WARM_UP_COMMITS = 20_000
const COMMITS = 20_000
const OVERRIDES = {
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': String(OFFSETS_PARTITIONS),
  'transaction.state.log.num.partitions': '10',
  'auto.leader.rebalance.enable': 'false',
}

async function commit(
  connection: KafkaConnection,
  groupId: string,
  partitions: readonly number[],
  offset: number,
): Promise<void> {
  await settled(
    'OffsetCommit',
    () =>
      connection.send<object, OffsetCommitResponse>(ApiKey.offsetCommit, {
        groupId,
        generationIdOrMemberEpoch: -1,
        memberId: '',
        topics: [
          {
            name: TOPIC,
            partitions: partitions.map((partitionIndex) => ({ partitionIndex, committedOffset: offset, committedMetadata: '' })),
          },
        ],
      }),
    ({ topics }) => topics[0]!.partitions.find(({ errorCode }) => errorCode !== 0)?.errorCode ?? 0,
  )
}

async function commits(bench: Bench, figures: Map<string, Figure>): Promise<void> {
  // Two groups, each with a connection of its own, on every broker.
  const places = new Map<number, { groupId: string; connection: KafkaConnection }[]>()
  for (let i = 0; [...bench.subject.pids.keys()].some((id) => (places.get(id)?.length ?? 0) < 2); i++) {
    const groupId = `commits-${i}`
    const { id, address } = await bench.coordinatorOf(groupId)
    const list = places.get(id) ?? []
    if (list.length < 2) places.set(id, [...list, { groupId, connection: await bench.connect(address) }])
  }
  const run = async (count: number): Promise<void> => {
    let left = count
    await Promise.all(
      [...places.values()].flat().flatMap(({ groupId, connection }) =>
        Array.from({ length: 32 }, async (_, slot) => {
          while (left-- > 0) await commit(connection, groupId, [slot], left)
        }),
      ),
    )
  }
  await run(WARM_UP_COMMITS)
  const cpu = bench.brokersCpuSeconds
  const startMs = performance.now()
  await run(COMMITS)
  figures.set('offset commits a second', { value: COMMITS / ((performance.now() - startMs) / 1000), rate: true })
  const cpuPerTenThousand = ((bench.brokersCpuSeconds - cpu) / COMMITS) * 10_000
  figures.set('CPU s of the brokers per 10,000 commits', { value: cpuPerTenThousand, rate: false })
  bench.closeConnections()
}

interface Member {
  connection: KafkaConnection
  memberId: string
}

function join(groupId: string, member: Member, round: number): Promise<JoinGroupResponse> {
  const userData = Buffer.alloc(40, round)
  const metadata = encodeSubscription({ topics: [TOPIC], userData, ownedPartitions: [], generationId: -1, rackId: null })
  return member.connection.send<object, JoinGroupResponse>(ApiKey.joinGroup, {
    groupId,
    sessionTimeoutMs: 300_000,
    rebalanceTimeoutMs: 120_000,
    memberId: member.memberId,
    protocolType: CONSUMER_PROTOCOL_TYPE,
    protocols: [{ name: 'range', metadata }],
  })
}

async function sync(groupId: string, member: Member, joined: JoinGroupResponse): Promise<void> {
  if (joined.errorCode !== 0) throw new Error(`JoinGroup failed with ${joined.errorCode}`)
  const assignments = joined.members.map(({ memberId }, index) => ({
    memberId,
    assignment: encodeAssignment({ partitions: [{ topic: TOPIC, partition: index % TOPIC_PARTITIONS }], userData: null }),
  }))
  const { errorCode } = await member.connection.send<object, SyncGroupResponse>(ApiKey.syncGroup, {
    groupId,
    generationId: joined.generationId,
    memberId: member.memberId,
    protocolType: CONSUMER_PROTOCOL_TYPE,
    protocolName: 'range',
    assignments: joined.leader === member.memberId ? assignments : [],
  })
  if (errorCode !== 0) throw new Error(`SyncGroup failed with ${errorCode}`)
}

/** All members join anew, with other metadata. Milliseconds from the last join sent to the last sync answered. */
async function rebalance(groupId: string, members: readonly Member[], round: number): Promise<number> {
  const all = members.map((member) => join(groupId, member, round).then((joined) => sync(groupId, member, joined)))
  const sentMs = performance.now()
  await Promise.all(all)
  return performance.now() - sentMs
}

async function rebalances(bench: Bench, size: number, figures: Map<string, Figure>): Promise<void> {
  const groupId = `members-${size}`
  const { id, address } = await bench.coordinatorOf(groupId)
  const before = await bench.liveBytes(id)
  const members: Member[] = []
  for (let i = 0; i < size; i++) {
    const connection = await bench.connect(address)
    // The first answer only says which id to join with; members that have one and did not join yet hold up the rebalance.
    const first = { connection, memberId: '' }
    const { memberId } = await settled(
      'JoinGroup',
      () => join(groupId, first, 0),
      ({ errorCode }) => (errorCode === ErrorCode.MEMBER_ID_REQUIRED ? 0 : errorCode),
    )
    members.push({ connection, memberId })
    if (i === 0) await rebalance(groupId, members, 0)
  }
  await rebalance(groupId, members, 1)
  if (size >= 1000) {
    const bytes = ((await bench.liveBytes(id)) - before) / size
    figures.set('live memory per member with its connection, KiB', { value: bytes / 1024, rate: false })
  }
  const times: number[] = []
  for (let round = 2; round < 7; round++) times.push(await rebalance(groupId, members, round))
  figures.set(`rebalance of ${size} members, ms`, { value: times.sort((a, b) => a - b)[2]!, rate: false })
  bench.closeConnections()
}

/** A transactional producer that has its id; `once` is one transaction with one batch. */
async function producer(bench: Bench, topic: string, partition: number, name: string): Promise<{ once(): Promise<void> }> {
  const transactionalId = `${name}-${partition}`
  const coordinator = await bench.connect((await bench.coordinatorOf(transactionalId, 1)).address)
  const leader = await bench.leaderOf(topic, partition)
  const nodes = (await bench.admin.describeCluster()).nodes
  const node = nodes.find(({ id }) => id === leader)!
  const connection = await bench.connect(`${node.host}:${node.port}`)
  const ids = await settled(
    'InitProducerId',
    () =>
      coordinator.send<object, InitProducerIdResponse>(ApiKey.initProducerId, {
        transactionalId,
        transactionTimeoutMs: 60_000,
      }),
    ({ errorCode }) => errorCode,
  )
  const { producerId, producerEpoch } = ids
  const add = {
    v3AndBelowTransactionalId: transactionalId,
    v3AndBelowProducerId: producerId,
    v3AndBelowProducerEpoch: producerEpoch,
    v3AndBelowTopics: [{ name: topic, partitions: [partition] }],
  }
  let baseSequence = 0
  return {
    async once() {
      await settled(
        'AddPartitionsToTxn',
        () => coordinator.send<object, AddPartitionsToTxnResponse>(ApiKey.addPartitionsToTxn, add, { version: 3 }),
        (answer) => answer.resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode,
      )
      const records = new BatchBuilder({ producerId, producerEpoch, baseSequence, transactional: true })
        .append(null, Buffer.alloc(1000, 0x61), [], Date.now())
        .build()
      const topicData = [{ name: topic, partitionData: [{ index: partition, records }] }]
      await settled(
        'Produce',
        () =>
          connection.send<object, ProduceResponse>(ApiKey.produce, {
            transactionalId,
            acks: -1,
            timeoutMs: 30_000,
            topicData,
          }),
        ({ responses }) => responses[0]!.partitionResponses[0]!.errorCode,
      )
      baseSequence++
      await settled(
        'EndTxn',
        () =>
          coordinator.send<object, EndTxnResponse>(ApiKey.endTxn, {
            transactionalId,
            producerId,
            producerEpoch,
            committed: true,
          }),
        ({ errorCode }) => errorCode,
      )
    },
  }
}

async function transactions(bench: Bench, count: number, figures: Map<string, Figure>): Promise<void> {
  const topic = `transactions-${count}`
  await bench.createTopic(topic, count, 3)
  const producers = await Promise.all(Array.from({ length: count }, (_, partition) => producer(bench, topic, partition, topic)))
  const run = async (durationMs: number): Promise<number> => {
    let done = 0
    const startMs = performance.now()
    await Promise.all(
      producers.map(async ({ once }) => {
        for (; performance.now() < startMs + durationMs; done++) await once()
      }),
    )
    return done / ((performance.now() - startMs) / 1000)
  }
  await run(5000)
  const cpu = bench.brokersCpuSeconds
  const startMs = performance.now()
  const perSecond = await run(5000)
  const done = perSecond * ((performance.now() - startMs) / 1000)
  const what = count === 1 ? '1 producer' : `${count} producers at once`
  figures.set(`transactions a second, ${what}`, { value: perSecond, rate: true })
  const cpuPerThousand = ((bench.brokersCpuSeconds - cpu) / done) * 1000
  figures.set(`CPU s of the brokers per 1,000 transactions, ${what}`, { value: cpuPerThousand, rate: false })
  bench.closeConnections()
}

/** 200,000 offsets into one partition of the internal topic, whose leader then moves. */
async function loading(bench: Bench, figures: Map<string, Figure>): Promise<void> {
  const partition = 0
  const groups: string[] = []
  for (let i = 0; groups.length < 2000; i++) {
    if (coordinatorPartition(`loading-${i}`, OFFSETS_PARTITIONS) === partition) groups.push(`loading-${i}`)
  }
  const all = Array.from({ length: TOPIC_PARTITIONS }, (_, index) => index)
  const { id, address } = await bench.coordinatorOf(groups[0]!)
  const connections = await Promise.all(Array.from({ length: 4 }, () => bench.connect(address)))
  const run = async (from: number, to: number): Promise<void> => {
    let next = from
    await Promise.all(
      connections.flatMap((connection) =>
        Array.from({ length: 4 }, async () => {
          while (next < to) await commit(connection, groups[next++]!, all, 1_000_000)
        }),
      ),
    )
  }
  await run(0, 1000)
  const before = await bench.liveBytes(id)
  await run(1000, 2000)
  const bytes = ((await bench.liveBytes(id)) - before) / 100_000
  figures.set('live memory per committed offset, bytes', { value: bytes, rate: false })
  const resident = residentMiB(bench.subject.pids.get(id)!)
  figures.set('resident, the broker with these 200,000 offsets, MiB', { value: resident, rate: false })
  const { replicas } = (await bench.partitionsOf(OFFSETS_TOPIC))[partition]!
  const next = replicas.find((replica) => replica !== id)!
  await bench.admin.alterPartitionReassignments([
    { topic: OFFSETS_TOPIC, partition, replicas: [next, ...replicas.filter((replica) => replica !== next)] },
  ])
  while ((await bench.admin.listPartitionReassignments()).length > 0) await sleep(20)
  const nodes = (await bench.admin.describeCluster()).nodes
  const node = nodes.find((found) => found.id === next)!
  const connection = await bench.connect(`${node.host}:${node.port}`)
  const groupId = groups.at(-1)!
  const startMs = performance.now()
  const election = bench.admin.electLeaders(ElectionType.preferred, [{ topic: OFFSETS_TOPIC, partition }])
  const answer = await settled(
    'OffsetFetch',
    () =>
      connection.send<object, OffsetFetchResponse>(
        ApiKey.offsetFetch,
        { groupId, topics: [{ name: TOPIC, partitionIndexes: all }] },
        { version: 7 },
      ),
    ({ errorCode }) => errorCode,
  )
  figures.set('leader moved: 200,000 offsets loaded, ms', { value: performance.now() - startMs, rate: false })
  const lost = answer.topics[0]!.partitions.filter(({ committedOffset }) => committedOffset !== 1_000_000)
  if (lost.length > 0) throw new Error(`${lost.length} offsets are lost`)
  await election
  bench.closeConnections()
}

async function measure(subject: Subject, memory: LiveMemory): Promise<Map<string, Figure>> {
  const bench = new Bench(subject, memory)
  const figures = new Map<string, Figure>()
  try {
    await bench.createTopic(TOPIC, TOPIC_PARTITIONS, 1)
    await commits(bench, figures)
    await rebalances(bench, 100, figures)
    await rebalances(bench, 1000, figures)
    await transactions(bench, 1, figures)
    await transactions(bench, 20, figures)
    await loading(bench, figures)
  } finally {
    await bench.close()
  }
  return figures
}

/** Prints a table; how many times better ours is, where Apache Kafka can be had. */
export async function coordinators(): Promise<void> {
  const columns: Map<string, Figure>[] = []
  const memory = new LiveMemory()
  const starts: (() => Promise<Subject | undefined>)[] = [
    () => memory.whileStarting(() => prekraft(3, OVERRIDES)),
    () => apache(3, OVERRIDES),
  ]
  for (const start of starts) {
    const subject = await start()
    if (subject === undefined) continue
    try {
      columns.push(await measure(subject, memory))
    } finally {
      await subject.stop()
    }
  }
  memory.close()
  const [ours, theirs] = columns
  const text = (value: number): string => value.toFixed(Math.abs(value) < 100 ? 2 : 0).padStart(8)
  for (const [what, { value, rate }] of ours!) {
    const other = theirs?.get(what)?.value
    const beside = other === undefined ? '' : ` ${text(other)}  ${(rate ? value / other : other / value).toFixed(1)} times`
    process.stdout.write(`${what.padEnd(62)} ${text(value)}${beside}\n`)
  }
}
