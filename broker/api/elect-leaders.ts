import { ErrorCode } from '../../protocol/errors'
import type { ElectLeadersRequest, ElectLeadersResponse } from '../../protocol/messages/elect-leaders'
import type { Input } from '../../protocol/messages/schema'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

const PREFERRED = 0

/**
 * ElectLeaders 0-2 (the type of election from 1 on), on the active controller. Answered when this broker's metadata shows the new
 * leaders, else REQUEST_TIMED_OUT per partition. With null for all partitions, those that needed no election are left out.
 */
export function electLeadersHandler(services: BrokerServices): Handler<ElectLeadersRequest, ElectLeadersResponse> {
  return async (context) => {
    const { body, apiVersion } = context
    const startMs = services.clock.monoMs()
    const response = await services.controller.electLeaders(body, apiVersion)
    const isElected = (topic: string, partitionId: number): boolean => {
      const partition = services.metadata.partition(topic, partitionId)
      if (partition === undefined) return true
      return body.electionType === PREFERRED ? partition.leader === partition.replicas[0] : partition.leader >= 0
    }
    const results = (response.replicaElectionResults ?? []).map(async ({ topic = '', partitionResult = [] }) => ({
      topic,
      partitionResult: await Promise.all(
        partitionResult.map(async (result) => {
          const { partitionId = -1, errorCode = ErrorCode.NONE } = result
          if (errorCode !== ErrorCode.NONE) return result
          const left = startMs + body.timeoutMs - services.clock.monoMs()
          const done = await services.metadataWaits.until([topic], () => isElected(topic, partitionId), left)
          return done ? result : { partitionId, errorCode: ErrorCode.REQUEST_TIMED_OUT, errorMessage: null }
        }),
      ),
    }))
    // Version 0 has no error for the request as a whole.
    const errorCode = apiVersion === 0 ? ErrorCode.NONE : response.errorCode
    const finished = { errorCode, replicaElectionResults: await Promise.all(results) }
    context.respond(body.topicPartitions === null ? withoutNeedless(finished) : finished)
  }
}

function withoutNeedless(response: Input<ElectLeadersResponse>): Input<ElectLeadersResponse> {
  const replicaElectionResults = (response.replicaElectionResults ?? [])
    .map(({ topic, partitionResult = [] }) => ({
      topic: topic ?? '',
      partitionResult: partitionResult.filter(({ errorCode }) => errorCode !== ErrorCode.ELECTION_NOT_NEEDED),
    }))
    .filter(({ partitionResult }) => partitionResult.length > 0)
  return { ...response, replicaElectionResults }
}
