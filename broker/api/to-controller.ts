import type { Input } from '../../protocol/messages/schema'

export interface SendToControllerOptions {
  /** request.timeout.ms by default. */
  timeoutMs?: number
  /** Until when a controller must be found and reached, if that is to fail sooner. */
  findTimeoutMs?: number
  /** Where a newer version could not say what the body says. */
  maxVersion?: number
}

/**
 * The way to the active controller, wherever it is. Asks again elsewhere when the answer says NOT_CONTROLLER anywhere or does not
 * come, and rejects when the time is over.
 */
export interface ToController {
  send<Request extends object, Response extends object>(
    apiKey: number,
    /** A function where the body depends on the version. */
    body: Input<Request> | ((version: number) => Input<Request>),
    options?: SendToControllerOptions,
  ): Promise<Response>
}
