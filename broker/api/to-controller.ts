import type { Input } from '../../protocol/messages/codec'

/**
 * The way to the active controller, wherever it is. Follows the metadata cache, asks again elsewhere when the answer says
 * NOT_CONTROLLER anywhere, and gives up after a while: then it rejects.
 */
export interface ToController {
  send<Request extends object, Response extends object>(apiKey: number, body: Input<Request>, timeoutMs?: number): Promise<Response>
}
