import { assert } from '../runtime/assert'

/** The answer that somebody waits for: given exactly once, by the handler or, where the request is not handled, by `refuse`. */
export class Completion<Response> {
  readonly promise: Promise<Response>
  private resolve: (response: Response) => void = () => {}
  private readonly refusal: () => Response
  private done = false

  /** `refusal`: what the requester hears when this broker is not the controller (any more). */
  constructor(refusal: () => Response) {
    this.refusal = refusal
    this.promise = new Promise((resolve) => (this.resolve = resolve))
  }

  get isDone(): boolean {
    return this.done
  }

  complete(response: Response): void {
    assert(!this.done, 'a request to the controller is answered twice')
    this.done = true
    this.resolve(response)
  }

  refuse(): void {
    this.complete(this.refusal())
  }
}
