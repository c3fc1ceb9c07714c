import { ErrorCode } from '../../protocol/errors'
import type { ElectLeadersRequest, ElectLeadersResponse } from '../../protocol/messages/elect-leaders'
import type { Input } from '../../protocol/messages/codec'
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
    const waits: Promise<void>[] = []
    for (const { topic = '', partitionResult = [] } of response.replicaElectionResults ?? []) {
      for (const result of partitionResult) {
        if ((result.errorCode ?? ErrorCode.NONE) !== ErrorCode.NONE) continue
        const isElected = (): boolean => {
          const partition = services.metadata.partition(topic, result.partitionId ?? -1)
          if (partition === undefined) return true
          return body.electionType === PREFERRED ? partition.leader === partition.replicas[0] : partition.leader >= 0
        }
        const left = startMs + body.timeoutMs - services.clock.monoMs()
        waits.push(
          services.metadataWaits.until([topic], isElected, left).then((done) => {
            if (done) return
            result.errorCode = ErrorCode.REQUEST_TIMED_OUT
            result.errorMessage = null
          }),
        )
      }
    }
    await Promise.all(waits)
    context.respond(body.topicPartitions === null ? withoutNeedless(response) : response)
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
