import { decodeAcls } from '../../zk-schema/acls'
import {
  decodePreferredReplicaElection,
  decodeReassignPartitions,
  preferredReplicaElectionPath,
  reassignPartitionsPath,
} from '../../zk-schema/admin'
import { brokerIdsPath, decodeBroker, formatEndpoint } from '../../zk-schema/brokers'
import {
  clusterIdPath,
  decodeClusterId,
  decodeFeatures,
  decodeProducerIdBlock,
  featurePath,
  producerIdBlockPath,
} from '../../zk-schema/cluster'
import { decodeConfig } from '../../zk-schema/configs'
import { controllerEpochPath, controllerPath, decodeController, decodeControllerEpoch } from '../../zk-schema/controller'
import { decodeDeletion, deletionsPath } from '../../zk-schema/deletions'
import {
  configChanges,
  decodeConfigChange,
  decodeIsrChange,
  decodeLogDirEvent,
  isrChanges,
  logDirEvents,
} from '../../zk-schema/notifications'
import { decodePartitionState, decodeTopic, topicsPath } from '../../zk-schema/topics'
import type { TopicPartition } from '../../zk-schema/admin'

const MOST_TEXT = 400

type Decoder = (data: Buffer, path: string, names: string[]) => string

const list = (numbers: readonly number[]): string => `[${numbers.join(',')}]`
const partitionList = (partitions: readonly TopicPartition[]): string =>
  partitions.map(({ topic, partition }) => `${topic}-${partition}`).join(' ')

function topicContent(data: Buffer, topic: string): string {
  const { topicId, partitions } = decodeTopic(topic, data)
  const shown = [...partitions].map(([partition, { replicas, addingReplicas, removingReplicas }]) => {
    const changes = [...addingReplicas.map((id) => `+${id}`), ...removingReplicas.map((id) => `-${id}`)]
    return `${partition}:${list(replicas)}${changes.length > 0 ? `(${changes.join(',')})` : ''}`
  })
  return [...shown, ...(topicId === null ? [] : [`id=${topicId}`])].join(' ')
}

function brokerContent(data: Buffer, brokerId: number): string {
  const { endpoints, rack } = decodeBroker(brokerId, data)
  return [endpoints.map(formatEndpoint).join(','), ...(rack === null ? [] : [`rack=${rack}`])].join(' ')
}

function stateContent(data: Buffer, topic: string, partition: number): string {
  const { leader, leaderEpoch, isr, controllerEpoch, leaderRecoveryState } = decodePartitionState(topic, partition, data)
  return (
    `leader=${leader < 0 ? 'none' : leader} epoch=${leaderEpoch} isr=${list(isr)} ` +
    `controllerEpoch=${controllerEpoch}${leaderRecoveryState === 1 ? ' recovering' : ''}`
  )
}

/** By the shape of the path: * stands for one name. */
const DECODERS: readonly [shape: string, decoder: Decoder][] = [
  [controllerPath, (data) => `broker ${decodeController(data).brokerId}`],
  [controllerEpochPath, (data) => `epoch ${decodeControllerEpoch(data)}`],
  [`${brokerIdsPath}/*`, (data, _path, [id]) => brokerContent(data, Number(id))],
  [`${topicsPath}/*`, (data, _path, [topic]) => topicContent(data, topic!)],
  [`${topicsPath}/*/partitions/*/state`, (data, _path, [topic, partition]) => stateContent(data, topic!, Number(partition))],
  ['/config/*/*', (data, path) => [...decodeConfig(path, data)].map(([key, value]) => `${key}=${value}`).join(' ')],
  [`${configChanges.path}/*`, (data, path) => decodeConfigChange(path, data)],
  [`${isrChanges.path}/*`, (data, path) => partitionList(decodeIsrChange(path, data))],
  [`${logDirEvents.path}/*`, (data, path) => `broker ${decodeLogDirEvent(path, data)}`],
  [
    reassignPartitionsPath,
    (data) =>
      decodeReassignPartitions(data)
        .map(({ topic, partition, replicas }) => `${topic}-${partition}:${list(replicas)}`)
        .join(' '),
  ],
  [preferredReplicaElectionPath, (data) => partitionList(decodePreferredReplicaElection(data))],
  [clusterIdPath, (data) => decodeClusterId(data)],
  [
    producerIdBlockPath,
    (data) => {
      const block = decodeProducerIdBlock(data)
      return block === undefined ? '' : `${block.firstProducerId} to ${block.lastProducerId} for broker ${block.brokerId}`
    },
  ],
  [
    featurePath,
    (data) =>
      Object.entries(decodeFeatures(data).features)
        .map(([name, level]) => `${name}=${level}`)
        .join(' '),
  ],
  [
    `${deletionsPath}/*`,
    (data, _path, [topicId]) => {
      const { topic, partitions, brokers } = decodeDeletion(topicId!, data)
      return `${topic} ${list(partitions)} still on brokers ${list(brokers)}`
    },
  ],
  ['/kafka-acl/*/*', aclContent],
  ['/kafka-acl-extended/*/*/*', aclContent],
]

function aclContent(data: Buffer, path: string): string {
  return decodeAcls(path, data)
    .map((entry) => Object.values(entry).join('/'))
    .join(' ')
}

const PATTERNS = DECODERS.map(([shape, decoder]) => ({
  pattern: new RegExp(
    `^${shape
      .split('*')
      .map((part) => part.replace(/[.$]/g, '\\$&'))
      .join('([^/]+)')}$`,
  ),
  decoder,
  // Queues lie beside entities.
  shape,
}))

/** What a znode holds, on one line: decoded where its path is Kafka's, as text elsewhere. */
export function znodeContent(path: string, data: Buffer | null): string {
  if (data === null || data.length === 0) return ''
  // The most particular shape first: /config/changes/* before /config/*/*.
  const known = PATTERNS.flatMap(({ pattern, decoder, shape }) => {
    const match = pattern.exec(path)
    return match === null ? [] : [{ decoder, names: match.slice(1), stars: shape.split('*').length }]
  }).sort((a, b) => a.stars - b.stars)[0]
  if (known === undefined) return asText(data)
  try {
    return cut(known.decoder(data, path, known.names))
  } catch {
    return `malformed: ${asText(data)}`
  }
}

function asText(data: Buffer): string {
  return cut(data.toString('utf8').replace(/[\u0000-\u001f\u007f]+/g, ' '))
}

function cut(text: string): string {
  return text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}...` : text
}
