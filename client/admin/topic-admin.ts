import { ClusterAdmin } from './cluster-admin'
import { ApiKey } from '../../protocol/messages/apis'
import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { byTopic, partitionKey, perLeader } from '../leaders'
import { READ_UNCOMMITTED, listOffsets } from '../offsets'
import { AlterOperation } from './types'
import type { AlterReplicaLogDirsResponse } from '../../protocol/messages/alter-replica-log-dirs'
import type { ConfigChange, NewTopic, Reassignment, ReplicaMove, ReplicaMoveResult } from './types'
import type { AlterPartitionReassignmentsResponse } from '../../protocol/messages/alter-partition-reassignments'
import type { CreatePartitionsResponse } from '../../protocol/messages/create-partitions'
import type { CreatableTopicResult, CreateTopicsResponse } from '../../protocol/messages/create-topics'
import type { DeleteRecordsResponse } from '../../protocol/messages/delete-records'
import type { DeleteTopicsResponse } from '../../protocol/messages/delete-topics'
import type { DescribeConfigsResourceResult, DescribeConfigsResponse } from '../../protocol/messages/describe-configs'
import type { DescribeLogDirsResponse, DescribeLogDirsResult } from '../../protocol/messages/describe-log-dirs'
import type { ElectLeadersResponse } from '../../protocol/messages/elect-leaders'
import type { IncrementalAlterConfigsResponse } from '../../protocol/messages/incremental-alter-configs'
import type { ListPartitionReassignmentsResponse } from '../../protocol/messages/list-partition-reassignments'
import type { TopicMetadata } from '../cluster'
import type { OffsetAndTimestamp } from '../offsets'
import type { TopicPartition } from '../leaders'

function fail(code: number, message: string | null | undefined): ProtocolError {
  return new ProtocolError(code, message ?? undefined)
}

/** Topics, their configuration and their partitions. */
export class TopicAdmin extends ClusterAdmin {
  /** Throws the first topic's error, as `error.code`; the topics before it have been created. */
  async createTopics(
    topics: readonly NewTopic[],
    options: { timeoutMs?: number; validateOnly?: boolean } = {},
  ): Promise<CreatableTopicResult[]> {
    if (topics.some(({ name }) => name === ''))
      throw new ProtocolError(ErrorCode.INVALID_TOPIC_EXCEPTION, "The given topic name '' cannot be represented in a request.")
    const response = await this.toController<CreateTopicsResponse>(
      'creating topics',
      ApiKey.createTopics,
      {
        topics: topics.map((topic) => ({
          name: topic.name,
          numPartitions: topic.assignments === undefined ? (topic.partitions ?? -1) : -1,
          replicationFactor: topic.assignments === undefined ? (topic.replicationFactor ?? -1) : -1,
          assignments: (topic.assignments ?? []).map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
          configs: Object.entries(topic.configs ?? {}).map(([name, value]) => ({ name, value })),
        })),
        timeoutMs: options.timeoutMs ?? this.cluster.settings.requestTimeoutMs,
        validateOnly: options.validateOnly ?? false,
      },
      (answer) => answer.topics.map((each) => each.errorCode),
    )
    for (const topic of response.topics) if (topic.errorCode !== 0) throw fail(topic.errorCode, topic.errorMessage)
    return response.topics
  }

  async deleteTopics(names: readonly string[], options: { timeoutMs?: number } = {}): Promise<void> {
    const response = await this.toController<DeleteTopicsResponse>(
      'deleting topics',
      ApiKey.deleteTopics,
      (version: number) => ({
        ...(version >= 6 ? { topics: names.map((name) => ({ name })) } : { topicNames: names }),
        timeoutMs: options.timeoutMs ?? this.cluster.settings.requestTimeoutMs,
      }),
      (answer) => answer.responses.map((each) => each.errorCode),
    )
    for (const each of response.responses) if (each.errorCode !== 0) throw fail(each.errorCode, each.errorMessage)
  }

  /** Grows topics to `count` partitions in all. */
  async createPartitions(
    topics: readonly { name: string; count: number; assignments?: readonly (readonly number[])[] | undefined }[],
  ): Promise<void> {
    const response = await this.toController<CreatePartitionsResponse>(
      'adding partitions',
      ApiKey.createPartitions,
      {
        topics: topics.map(({ name, count, assignments }) => ({
          name,
          count,
          assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
        })),
        timeoutMs: this.cluster.settings.requestTimeoutMs,
        validateOnly: false,
      },
      (answer) => answer.results.map((each) => each.errorCode),
    )
    for (const each of response.results) if (each.errorCode !== 0) throw fail(each.errorCode, each.errorMessage)
  }

  /** Names in order. */
  async listTopics(): Promise<{ name: string; isInternal: boolean; topicId: string }[]> {
    const topics = await this.cluster.retrying('listing topics', () => this.cluster.metadata(null))
    return topics
      .map(({ name, isInternal, topicId }) => ({ name, isInternal, topicId }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Topics with their partitions; a topic that does not exist has an error code. */
  async describeTopics(names: readonly string[]): Promise<TopicMetadata[]> {
    const topics = await this.cluster.retrying('describing topics', () => this.cluster.metadata(names))
    const found = new Map(topics.map((topic) => [topic.name, topic]))
    return names.flatMap((name) => found.get(name) ?? [])
  }

  async listOffsets(
    wanted: readonly (TopicPartition & { timestamp: number })[],
    isolationLevel: number = READ_UNCOMMITTED,
  ): Promise<Map<string, OffsetAndTimestamp>> {
    return listOffsets(this.cluster, wanted, isolationLevel)
  }

  /**
   * Deletes what lies below an offset (-1: the high watermark); gives each partition's new first offset, keyed
   * `topic-partition`.
   */
  async deleteRecords(
    wanted: readonly (TopicPartition & { offset: number })[],
    options: { timeoutMs?: number } = {},
  ): Promise<Map<string, number>> {
    const timeoutMs = options.timeoutMs ?? this.cluster.settings.requestTimeoutMs
    return perLeader(this.cluster, 'deleting records', wanted, async (leader, partitions) => {
      const response = await this.cluster.send<DeleteRecordsResponse>(leader, ApiKey.deleteRecords, {
        topics: byTopic(partitions).map(({ topic, partitions: list }) => ({
          name: topic,
          partitions: list.map(({ partition, offset }) => ({ partitionIndex: partition, offset })),
        })),
        timeoutMs,
      })
      const answers = new Map(
        response.topics.flatMap((topic) =>
          topic.partitions.map((each) => [partitionKey(topic.name, each.partitionIndex), each] as const),
        ),
      )
      return partitions.map(({ topic, partition }) => {
        const answer = answers.get(partitionKey(topic, partition))
        return answer?.errorCode === 0
          ? answer.lowWatermark
          : new ProtocolError(answer?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR)
      })
    })
  }

  /** All keys of a topic or a broker, with sources and synonyms. */
  async describeConfigs(
    resourceType: number,
    resourceName: string,
    keys: readonly string[] | null = null,
  ): Promise<DescribeConfigsResourceResult[]> {
    const [result] = await this.describeConfigsOf([{ resourceType, resourceName }], keys)
    if (result!.errorCode !== 0) throw fail(result!.errorCode, result!.errorMessage)
    return result!.configs
  }

  /** The same for several topics in one request; errors stand in the results. */
  async describeConfigsOf(
    resources: readonly { resourceType: number; resourceName: string }[],
    keys: readonly string[] | null = null,
  ): Promise<DescribeConfigsResponse['results']> {
    const response = await this.toResourceOwner<DescribeConfigsResponse>(
      'describing configurations',
      ApiKey.describeConfigs,
      resources[0]!,
      {
        resources: resources.map((resource) => ({ ...resource, configurationKeys: keys })),
        includeSynonyms: true,
        includeDocumentation: false,
      },
    )
    return response.results
  }

  async incrementalAlterConfigs(
    resourceType: number,
    resourceName: string,
    changes: readonly ConfigChange[],
    options: { validateOnly?: boolean } = {},
  ): Promise<void> {
    const response = await this.toResourceOwner<IncrementalAlterConfigsResponse>(
      'altering configurations',
      ApiKey.incrementalAlterConfigs,
      { resourceType, resourceName },
      {
        resources: [
          {
            resourceType,
            resourceName,
            configs: changes.map(({ name, operation, value }) => ({
              name,
              configOperation: AlterOperation[operation],
              value: value ?? null,
            })),
          },
        ],
        validateOnly: options.validateOnly ?? false,
      },
    )
    for (const each of response.responses) if (each.errorCode !== 0) throw fail(each.errorCode, each.errorMessage)
  }

  /** Per partition its error code: 0, ELECTION_NOT_NEEDED ... `partitions` null: all that need one. */
  async electLeaders(
    electionType: number,
    partitions: readonly TopicPartition[] | null,
  ): Promise<(TopicPartition & { errorCode: number; errorMessage: string | null })[]> {
    const response = await this.toController<ElectLeadersResponse>(
      'electing leaders',
      ApiKey.electLeaders,
      {
        electionType,
        topicPartitions:
          partitions === null
            ? null
            : byTopic(partitions).map(({ topic, partitions: list }) => ({
                topic,
                partitions: list.map(({ partition }) => partition),
              })),
        timeoutMs: this.cluster.settings.requestTimeoutMs,
      },
      (answer) => [
        answer.errorCode,
        ...answer.replicaElectionResults.flatMap((topic) => topic.partitionResult.map((each) => each.errorCode)),
      ],
    )
    if (response.errorCode !== 0) throw fail(response.errorCode, undefined)
    return response.replicaElectionResults.flatMap(({ topic, partitionResult }) =>
      partitionResult.map(({ partitionId, errorCode, errorMessage }) => ({
        topic,
        partition: partitionId,
        errorCode,
        errorMessage,
      })),
    )
  }

  /** Starts moving partitions to other replicas (KIP-455); `replicas` null cancels. Throws the first partition's error. */
  async alterPartitionReassignments(wanted: readonly (TopicPartition & { replicas: readonly number[] | null })[]): Promise<void> {
    const response = await this.toController<AlterPartitionReassignmentsResponse>(
      'reassigning partitions',
      ApiKey.alterPartitionReassignments,
      {
        timeoutMs: this.cluster.settings.requestTimeoutMs,
        topics: byTopic(wanted).map(({ topic, partitions }) => ({
          name: topic,
          partitions: partitions.map(({ partition, replicas }) => ({ partitionIndex: partition, replicas })),
        })),
      },
      (answer) => [answer.errorCode],
    )
    if (response.errorCode !== 0) throw fail(response.errorCode, response.errorMessage)
    for (const topic of response.responses) {
      for (const each of topic.partitions) if (each.errorCode !== 0) throw fail(each.errorCode, each.errorMessage)
    }
  }

  async listPartitionReassignments(): Promise<Reassignment[]> {
    const response = await this.toController<ListPartitionReassignmentsResponse>(
      'listing reassignments',
      ApiKey.listPartitionReassignments,
      {
        timeoutMs: this.cluster.settings.requestTimeoutMs,
        topics: null,
      },
      (answer) => [answer.errorCode],
    )
    if (response.errorCode !== 0) throw fail(response.errorCode, response.errorMessage)
    return response.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, replicas, addingReplicas, removingReplicas }) => ({
        topic: name,
        partition: partitionIndex,
        replicas,
        addingReplicas,
        removingReplicas,
      })),
    )
  }

  async describeLogDirs(brokerId: number): Promise<DescribeLogDirsResult[]> {
    const response = await this.toNode<DescribeLogDirsResponse>('describing log directories', brokerId, ApiKey.describeLogDirs, {
      topics: null,
    })
    if (response.errorCode !== 0) throw fail(response.errorCode, undefined)
    return response.results
  }

  /** Moves replicas to other log directories of their brokers (KIP-113). */
  async alterReplicaLogDirs(moves: readonly ReplicaMove[]): Promise<ReplicaMoveResult[]> {
    const results = await Promise.all(
      [...new Set(moves.map(({ brokerId }) => brokerId))].map(async (brokerId) => {
        const mine = moves.filter((move) => move.brokerId === brokerId)
        const response = await this.toNode<AlterReplicaLogDirsResponse>('moving replicas', brokerId, ApiKey.alterReplicaLogDirs, {
          dirs: [...new Set(mine.map(({ logDir }) => logDir))].map((path) => ({
            path,
            topics: byTopic(mine.filter(({ logDir }) => logDir === path)).map(({ topic, partitions }) => ({
              name: topic,
              partitions: partitions.map(({ partition }) => partition),
            })),
          })),
        })
        return response.results.flatMap(({ topicName, partitions }) =>
          partitions.map(({ partitionIndex, errorCode }) => ({
            topic: topicName,
            partition: partitionIndex,
            brokerId,
            error: errorCode === 0 ? undefined : new ProtocolError(errorCode),
          })),
        )
      }),
    )
    return results.flat()
  }
}
