import { arrayIn, fieldIn, integerIn, objectIn, parseJson, stringIn, versionIn } from '../tool/json-input'
import { partitionKey } from '../../client/leaders'
import type { TopicPartition } from '../../client/leaders'

export const ANY_LOG_DIR = 'any'

export interface Target extends TopicPartition {
  replicas: number[]
}

/** A replica that shall lie in a certain log directory of its broker. */
export interface DirectoryTarget extends TopicPartition {
  brokerId: number
  logDir: string
}

export interface Plan {
  targets: Target[]
  directories: DirectoryTarget[]
}

export function byPartition(a: TopicPartition, b: TopicPartition): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.partition - b.partition
}

export function byReplica(a: DirectoryTarget, b: DirectoryTarget): number {
  return a.brokerId === b.brokerId ? byPartition(a, b) : a.brokerId - b.brokerId
}

export function keyOf({ topic, partition }: TopicPartition): string {
  return partitionKey(topic, partition)
}

function duplicatesOf<T>(values: readonly T[]): T[] {
  return [...new Set(values.filter((value, i) => values.indexOf(value) < i))]
}

/** Reads the file of --reassignment-json-file. Throws an Error in Kafka's words. */
export function parsePlan(text: string): Plan {
  const json = parseJson(text)
  if (json === undefined) throw new Error('The input string is not a valid JSON')
  const data = objectIn(json)
  const version = versionIn(data)
  if (version !== 1) throw new Error(`Not supported version field value ${version}`)
  const targets: Target[] = []
  const directories = new Map<string, DirectoryTarget>()
  for (const each of data['partitions'] === undefined ? [] : arrayIn(data['partitions'])) {
    const fields = objectIn(each)
    const topic = stringIn(fields, 'topic')
    const partition = integerIn(fields, 'partition')
    const replicas = arrayIn(fieldIn(fields, 'replicas')).map((id) => integerIn({ id }, 'id'))
    const listed = fields['log_dirs']
    const dirs = listed === undefined ? replicas.map(() => ANY_LOG_DIR) : arrayIn(listed).map((dir) => stringIn({ dir }, 'dir'))
    if (replicas.length !== dirs.length) {
      throw new Error(
        `Size of replicas list [${replicas.join(', ')}] is different from size of log dirs list [${dirs.join(', ')}] for ` +
          `partition ${topic}-${partition}`,
      )
    }
    targets.push({ topic, partition, replicas })
    replicas.forEach((brokerId, i) => {
      if (dirs[i] === ANY_LOG_DIR) return
      directories.set(`${topic}-${partition}-${brokerId}`, { topic, partition, brokerId, logDir: dirs[i]! })
    })
  }
  return { targets, directories: [...directories.values()] }
}

/** A plan that is to be carried out says each thing once. Throws an Error in Kafka's words. */
export function checkPlan({ targets }: Plan): void {
  if (targets.length === 0) throw new Error('Partition reassignment list cannot be empty')
  if (targets.some(({ replicas }) => replicas.length === 0)) throw new Error('Partition replica list cannot be empty')
  const twice = duplicatesOf(targets.map(keyOf))
  if (twice.length > 0) throw new Error(`Partition reassignment contains duplicate topic partitions: ${twice.join(',')}`)
  const wrong = targets.map((target) => ({ target, ids: duplicatesOf(target.replicas) })).filter(({ ids }) => ids.length > 0)
  if (wrong.length === 0) return
  const list = wrong.map(({ target, ids }) => `${keyOf(target)} contains multiple entries for ${ids.join(',')}`)
  throw new Error(`Partition replica lists may not contain duplicate entries: ${list.join('. ')}`)
}

/** Reads the file of --topics-to-move-json-file and the list of brokers. Throws an Error in Kafka's words. */
export function parseMove(text: string, brokerList: string): { brokers: number[]; topics: string[] } {
  const brokers = brokerList.split(',').map((id) => {
    if (!/^[-+]?\d+$/.test(id)) throw new Error(`For input string: "${id}"`)
    return Number(id)
  })
  const twice = duplicatesOf(brokers)
  if (twice.length > 0) throw new Error(`Broker list contains duplicate entries: [${twice.join(', ')}]`)
  const json = parseJson(text)
  if (json === undefined) throw new Error('The input string is not a valid JSON')
  const data = objectIn(json)
  const version = versionIn(data)
  if (version !== 1) throw new Error(`Not supported version field value ${version}`)
  const listed = data['topics'] === undefined ? [] : arrayIn(data['topics'])
  const topics = listed.map((each) => stringIn(objectIn(each), 'topic'))
  const topicsTwice = duplicatesOf(topics)
  if (topicsTwice.length > 0) throw new Error(`List of topics to reassign contains duplicate entries: [${topicsTwice.join(', ')}]`)
  return { brokers, topics }
}

/** A plan as the tool prints it, to be used again. */
export function formatPlan(targets: readonly Target[]): string {
  return JSON.stringify({
    version: 1,
    partitions: [...targets].sort(byPartition).map(({ topic, partition, replicas }) => ({
      topic,
      partition,
      replicas,
      log_dirs: replicas.map(() => ANY_LOG_DIR),
    })),
  })
}
