import type { Input } from '../../protocol/messages/schema'

/**
 * The way to the active controller, wherever it is. Asks again elsewhere when the answer says NOT_CONTROLLER anywhere or does not
 * come, and rejects when `timeoutMs` (request.timeout.ms by default) are over.
 */
export interface ToController {
  send<Request extends object, Response extends object>(
    apiKey: number,
    /** A function where the body depends on the version. */
    body: Input<Request> | ((version: number) => Input<Request>),
    timeoutMs?: number,
  ): Promise<Response>
}
