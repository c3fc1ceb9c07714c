import { ErrorCode } from '../../protocol/errors'
import type { CreatePartitionsRequest, CreatePartitionsResponse } from '../../protocol/messages/create-partitions'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/** CreatePartitions 0-3, on the active controller. Answered when the new partitions have leaders in this broker's metadata. */
export function createPartitionsHandler(services: BrokerServices): Handler<CreatePartitionsRequest, CreatePartitionsResponse> {
  return async (context) => {
    const { body, apiVersion } = context
    const startMs = services.clock.monoMs()
    const response = await services.controller.createPartitions(body, apiVersion)
    const counts = new Map(body.topics.map(({ name, count }) => [name, count]))
    if (!body.validateOnly) {
      await Promise.all(
        (response.results ?? []).map(async (result) => {
          const name = result.name ?? ''
          const count = counts.get(name)
          if ((result.errorCode ?? ErrorCode.NONE) !== ErrorCode.NONE || count === undefined) return
          const left = body.timeoutMs <= 0 ? 0 : startMs + body.timeoutMs - services.clock.monoMs()
          const done = await services.metadataWaits.until([name], () => services.metadataWaits.hasLeaders(name, count), left)
          if (done && body.timeoutMs > 0) return
          result.errorCode = ErrorCode.REQUEST_TIMED_OUT
          result.errorMessage = null
        }),
      )
    }
    context.respond(response)
  }
}
