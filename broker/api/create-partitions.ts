import { ErrorCode } from '../../protocol/errors'
import { allowanceOf, respondWithin } from './mutation-allowance'
import type { CreatePartitionsRequest, CreatePartitionsResponse } from '../../protocol/messages/create-partitions'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

const STRICT_SINCE_VERSION = 3

/** CreatePartitions 0-3, on the active controller. Answered when the new partitions have leaders in this broker's metadata. */
export function createPartitionsHandler(services: BrokerServices): Handler<CreatePartitionsRequest, CreatePartitionsResponse> {
  return async (context) => {
    const { body, apiVersion } = context
    const startMs = services.clock.monoMs()
    const allowance = allowanceOf(services, context, STRICT_SINCE_VERSION)
    const response = await services.controller.createPartitions(body, apiVersion, allowance)
    if (body.validateOnly) {
      respondWithin(allowance, context, response)
      return
    }
    const counts = new Map(body.topics.map(({ name, count }) => [name, count]))
    const results = (response.results ?? []).map(async (result) => {
      const { name = '', errorCode = ErrorCode.NONE } = result
      const count = counts.get(name)
      if (errorCode !== ErrorCode.NONE || count === undefined) return result
      const left = body.timeoutMs <= 0 ? 0 : startMs + body.timeoutMs - services.clock.monoMs()
      const done = await services.metadataWaits.until([name], () => services.metadataWaits.hasLeaders(name, count), left)
      return done && body.timeoutMs > 0 ? result : { name, errorCode: ErrorCode.REQUEST_TIMED_OUT, errorMessage: null }
    })
    respondWithin(allowance, context, { ...response, results: await Promise.all(results) })
  }
}
