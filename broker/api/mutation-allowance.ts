import { ANONYMOUS } from '../quota/client-quotas'
import type { Input } from '../../protocol/messages/schema'
import type { MutationAllowance } from '../quota/mutation-quota'
import type { RequestContext } from '../server/request-context'
import type { BrokerServices } from './services'

/** What a request may create and delete. Versions that know THROTTLING_QUOTA_EXCEEDED get it, older ones are held back. */
export function allowanceOf(
  services: BrokerServices, { clientId, apiVersion }: RequestContext, strictSinceVersion: number,
): MutationAllowance {
  return services.quotas.mutations.allowance(ANONYMOUS, clientId, apiVersion >= strictSinceVersion)
}

/** Answers, and holds the client back if it has used more than it may. */
export function respondWithin<Request, Response>(
  allowance: MutationAllowance, context: RequestContext<Request, Response>, body: Input<Response>,
): void {
  context.throttle(allowance.throttleMs)
  context.respond(body)
}
