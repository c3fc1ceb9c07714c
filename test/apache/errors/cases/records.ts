import { ApiKey } from '../../../../protocol/messages/apis'
import { Codec } from '../../../../protocol/records/batch'
import { BatchBuilder } from '../../../../protocol/records/records'
import type { BatchOptions } from '../../../../protocol/records/records'
import type { BadRequest } from '../case'

const NOW = 1_700_000_000_000

function batch(options: BatchOptions = {}, count = 1, value = 'v'): Buffer {
  const builder = new BatchBuilder(options)
  for (let i = 0; i < count; i++) builder.append(Buffer.from('k'), Buffer.from(value), [], NOW)
  return builder.build()
}

function changed(at: number, byte: number, from = batch()): Buffer {
  const copy = Buffer.from(from)
  copy[at] = byte
  return copy
}

function keyless(): Buffer {
  return new BatchBuilder({}).append(null, Buffer.from('v'), [], NOW).build()
}

interface Produced {
  ours?: RegExp
  topic?: string
  partition?: number
  acks?: number
  transactionalId?: string | null
  to?: BadRequest['to']
  versions?: BadRequest['versions']
}

/** One produce request with one partition. */
function produce(name: string, records: Buffer | null, { topic = 'lone', partition = 0, acks = -1, transactionalId = null, to, versions, ours }: Produced = {}): BadRequest {
  return {
    name: `produce: ${name}`,
    api: ApiKey.produce,
    ...(to === undefined ? {} : { to }),
    ...(versions === undefined ? {} : { versions }),
    ...(ours === undefined ? {} : { ours }),
    body: (_, version) => ({
      ...(version >= 3 ? { transactionalId } : {}),
      acks,
      timeoutMs: 1000,
      topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
    }),
  }
}

const idempotent = (producerId: number, producerEpoch: number, baseSequence: number): Buffer => batch({ producerId, producerEpoch, baseSequence })

export const produceCases: BadRequest[] = [
  produce('unknown topic', batch(), { topic: 'nowhere', versions: [3, 5, 8, 9, 11] }),
  produce('unknown partition', batch(), { partition: 7 }),
  produce('negative partition', batch(), { partition: -1 }),
  produce('topic without a name', batch(), { topic: '' }),
  produce('topic with a bad name', batch(), { topic: 'no/good' }),
  produce('acks 2', batch(), { acks: 2, versions: [3, 8, 11] }),
  produce('acks -2', batch(), { acks: -2 }),
  produce('to a follower', batch(), { topic: 'plain', to: 'follower', versions: [3, 9, 10, 11] }),
  produce('to a broker without a replica', batch(), { topic: 'lone', to: 'follower' }),
  produce('no records', Buffer.alloc(0)),
  // Apache never answers.
  produce('null for records', null, { ours: /"errorCode":87/ }),
  produce('a wrong CRC', changed(17, 0x55)),
  produce('a changed value', changed(66, 0x55)),
  produce('a torn batch', batch().subarray(0, 40)),
  produce('a batch that claims more bytes', changed(11, 0x70)),
  // Apache takes what follows for a batch, and finds that one corrupt.
  produce('a batch that claims fewer bytes', changed(11, 0x10), { ours: /"errorCode":87/ }),
  produce('magic 3', changed(16, 3)),
  produce('magic 9', changed(16, 9)),
  produce('magic -1', changed(16, 0xff)),
  produce('two batches', Buffer.concat([batch(), batch()])),
  produce('a batch of no records', changed(60, 0)),
  produce('a batch of -1 records', changed(57, 0xff)),
  produce('more records than there are', changed(60, 5)),
  produce('too large for the topic', batch({}, 1, 'x'.repeat(2000)), { topic: 'small' }),
  produce('too few in-sync replicas', batch(), { topic: 'strict' }),
  produce('too few in-sync replicas, acks 1', batch(), { topic: 'strict', acks: 1 }),
  produce('no key for a compacted topic', keyless(), { topic: 'compacted', versions: [3, 8, 11] }),
  produce('a control batch', batch({ control: true })),
  produce('a transactional batch without an id', batch({ transactional: true, producerId: 1, producerEpoch: 0, baseSequence: 0 })),
  produce('a transactional id of nobody', batch({ transactional: true, producerId: 1, producerEpoch: 0, baseSequence: 0 }), { transactionalId: 'nobody' }),
  produce('a transactional id with a plain batch', batch(), { transactionalId: 'nobody' }),
  produce('zstd in version 3', batch({ codec: Codec.zstd }), { versions: [3, 6, 7] }),
  produce('an internal topic', batch(), { topic: '__consumer_offsets' }),
  produce('an unknown codec', changed(22, 5)),
  produce('codec 7', changed(22, 7)),
  produce('a producer id without a sequence', idempotent(4001, 0, -1)),
  produce('a producer id without an epoch', idempotent(4001, -1, 0)),
  produce('a first sequence that is not 0', idempotent(4002, 0, 5)),
  produce('a sequence', idempotent(4003, 1, 0)),
  produce('the same sequence again', idempotent(4003, 1, 0)),
  produce('a gap in the sequence', idempotent(4003, 1, 9)),
  produce('an older epoch', idempotent(4003, 0, 0)),
  produce('a newer epoch with a sequence that is not 0', idempotent(4003, 2, 3)),
  produce('a negative producer id', idempotent(-5, 0, 0)),
  { name: 'produce: no topics', api: ApiKey.produce, body: () => ({ acks: -1, timeoutMs: 100, topicData: [] }) },
  {
    // Apache appends the last one alone, and answers once.
    name: 'produce: the same partition twice', api: ApiKey.produce, ours: /"index":0,"errorCode":0.*"index":0,"errorCode":0/,
    body: () => ({ acks: -1, timeoutMs: 1000, topicData: [{ name: 'lone', partitionData: [{ index: 0, records: batch() }, { index: 0, records: batch() }] }] }),
  },
]

interface Fetched {
  topic?: string
  topicId?: string
  partition?: number
  offset?: number
  epoch?: number
  lastEpoch?: number
  replicaId?: number
  isolation?: number
  sessionId?: number
  sessionEpoch?: number
  maxBytes?: number
  partitionMaxBytes?: number
  logStart?: number
  to?: BadRequest['to']
  versions?: BadRequest['versions']
}

const NO_ID = 'AAAAAAAAAAAAAAAAAAAAAA'

function fetch(name: string, f: Fetched = {}): BadRequest {
  return {
    name: `fetch: ${name}`,
    api: ApiKey.fetch,
    ...(f.to === undefined ? {} : { to: f.to }),
    versions: f.versions ?? [12, 16],
    body: (place, version) => ({
      ...(version <= 14 ? { replicaId: f.replicaId ?? -1 } : {}),
      ...(version >= 15 && f.replicaId !== undefined ? { replicaState: { replicaId: f.replicaId, replicaEpoch: -1 } } : {}),
      maxWaitMs: 0,
      minBytes: 1,
      ...(version >= 3 ? { maxBytes: f.maxBytes ?? 1000 } : {}),
      ...(version >= 4 ? { isolationLevel: f.isolation ?? 0 } : {}),
      ...(version >= 7 ? { sessionId: f.sessionId ?? 0, sessionEpoch: f.sessionEpoch ?? -1 } : {}),
      topics: [
        {
          ...(version >= 13 ? { topicId: f.topicId ?? place.topicIds.get(f.topic ?? 'plain') ?? NO_ID } : { topic: f.topic ?? 'plain' }),
          partitions: [
            {
              partition: f.partition ?? 0,
              fetchOffset: f.offset ?? 0,
              partitionMaxBytes: f.partitionMaxBytes ?? 0,
              ...(version >= 9 ? { currentLeaderEpoch: f.epoch ?? -1 } : {}),
              ...(version >= 12 ? { lastFetchedEpoch: f.lastEpoch ?? -1 } : {}),
              ...(version >= 5 ? { logStartOffset: f.logStart ?? -1 } : {}),
            },
          ],
        },
      ],
    }),
  }
}

export const fetchCases: BadRequest[] = [
  fetch('unknown topic', { topic: 'nowhere', versions: [0, 4, 11, 12, 13, 16] }),
  fetch('unknown topic id', { topicId: 'AQEBAQEBAQEBAQEBAQEBAQ', versions: [13, 15, 16] }),
  fetch('unknown partition', { partition: 9 }),
  fetch('negative partition', { partition: -3 }),
  fetch('an offset beyond the end', { offset: 1_000_000, versions: 'all' }),
  fetch('a negative offset', { offset: -9 }),
  fetch('at the end', { offset: 10 }),
  fetch('a leader epoch that is not yet', { epoch: 100 }),
  fetch('a leader epoch below', { epoch: -7 }),
  fetch('a last epoch that is not yet', { lastEpoch: 100, offset: 3 }),
  fetch('a last epoch below', { lastEpoch: -5, offset: 3 }),
  fetch('from a follower', { to: 'follower', offset: 3 }),
  fetch('from a follower of long ago', { to: 'follower', versions: [4, 10] }),
  fetch('from a broker without a replica', { topic: 'lone', to: 'follower' }),
  fetch('as a replica that it has not', { replicaId: 5, versions: [4, 11, 12, 14, 15, 16] }),
  fetch('as the leader itself', { replicaId: 0, versions: [11, 16] }),
  fetch('as a follower beyond the end', { replicaId: 1, offset: 500, versions: [11, 16] }),
  fetch('as replica -3', { replicaId: -3, versions: [11] }),
  fetch('isolation level 7', { isolation: 7 }),
  fetch('a session of nobody', { sessionId: 12345, sessionEpoch: 1 }),
  fetch('a session epoch without a session', { sessionId: 0, sessionEpoch: 5 }),
  fetch('a session epoch of -2', { sessionId: 0, sessionEpoch: -2 }),
  fetch('a session that shall end', { sessionId: 12345, sessionEpoch: -1 }),
  // UNKNOWN_SERVER_ERROR there; here as with 0, the first batch.
  { ...fetch('negative bytes', { maxBytes: -1, partitionMaxBytes: -1 }), ours: /"errorCode":0,"highWatermark":10/ },
]

interface Listed {
  topic?: string
  partition?: number
  timestamp?: number
  epoch?: number
  replicaId?: number
  isolation?: number
  to?: BadRequest['to']
  versions?: BadRequest['versions']
}

function listOffsets(name: string, l: Listed = {}): BadRequest {
  return {
    name: `list offsets: ${name}`,
    api: ApiKey.listOffsets,
    ...(l.to === undefined ? {} : { to: l.to }),
    ...(l.versions === undefined ? {} : { versions: l.versions }),
    body: (_, version) => ({
      replicaId: l.replicaId ?? -1,
      ...(version >= 2 ? { isolationLevel: l.isolation ?? 0 } : {}),
      topics: [
        {
          name: l.topic ?? 'plain',
          partitions: [
            {
              partitionIndex: l.partition ?? 0,
              timestamp: l.timestamp ?? -1,
              ...(version >= 4 ? { currentLeaderEpoch: l.epoch ?? -1 } : {}),
              ...(version === 0 ? { maxNumOffsets: 0 } : {}),
            },
          ],
        },
      ],
    }),
  }
}

export const offsetCases: BadRequest[] = [
  listOffsets('unknown topic', { topic: 'nowhere', versions: 'all' }),
  listOffsets('unknown partition', { partition: 9 }),
  listOffsets('no offset asked for', { versions: [0] }),
  listOffsets('the latest', { versions: 'all' }),
  listOffsets('the earliest', { timestamp: -2, versions: 'all' }),
  listOffsets('the largest timestamp', { timestamp: -3, versions: [1, 6, 7, 8, 9] }),
  listOffsets('the earliest local', { timestamp: -4, versions: [6, 7, 8, 9] }),
  listOffsets('the latest tiered', { timestamp: -5, versions: [7, 8, 9] }),
  listOffsets('timestamp -6', { timestamp: -6 }),
  listOffsets('timestamp -100', { timestamp: -100 }),
  listOffsets('a timestamp of the future', { timestamp: 9_000_000_000_000 }),
  listOffsets('a timestamp within', { timestamp: 1_700_000_000_004 }),
  listOffsets('an epoch that is not yet', { epoch: 50 }),
  listOffsets('an epoch below', { epoch: -4 }),
  listOffsets('from a follower', { to: 'follower' }),
  listOffsets('as a debugging consumer', { replicaId: -2, to: 'follower' }),
  listOffsets('isolation level 9', { isolation: 9 }),
  listOffsets('isolation level 1', { isolation: 1 }),
  {
    name: 'list offsets: the same partition twice', api: ApiKey.listOffsets,
    body: () => ({ replicaId: -1, topics: [{ name: 'plain', partitions: [{ partitionIndex: 0, timestamp: -1 }, { partitionIndex: 0, timestamp: -2 }] }] }),
  },
  ...(['nowhere', 'plain', 'lone'] as const).flatMap((topic) =>
    ([[-1, 0], [0, 0], [5, 0], [-1, 99], [0, 99]] as const).map(([current, asked]): BadRequest => ({
      name: `offset for leader epoch: ${topic}, current ${current}, asked for ${asked}`,
      api: ApiKey.offsetForLeaderEpoch,
      versions: topic === 'plain' ? 'all' : [4],
      body: (_, version) => ({
        ...(version >= 3 ? { replicaId: -1 } : {}),
        topics: [{ topic, partitions: [{ partition: 0, ...(version >= 2 ? { currentLeaderEpoch: current } : {}), leaderEpoch: asked }] }],
      }),
    })),
  ),
  ...([['plain', 0, 1000], ['plain', 0, -2], ['plain', 9, 0], ['nowhere', 0, 0], ['compacted', 0, 0], ['lone', 0, 3], ['lone', 0, 2], ['__consumer_offsets', 0, 0]] as const).map(
    ([name, partitionIndex, offset]): BadRequest => ({
      name: `delete records: ${name}-${partitionIndex} before ${offset}`,
      api: ApiKey.deleteRecords,
      body: () => ({ topics: [{ name, partitions: [{ partitionIndex, offset }] }], timeoutMs: 2000 }),
    }),
  ),
  {
    name: 'delete records: to a follower', api: ApiKey.deleteRecords, to: 'follower',
    body: () => ({ topics: [{ name: 'plain', partitions: [{ partitionIndex: 0, offset: 1 }] }], timeoutMs: 2000 }),
  },
]
