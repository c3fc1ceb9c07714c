/** A thread of its own that messages are sent to: for long work that the event loop must not wait for (real-threads.ts). */
export interface Thread {
  /** `message` is copied. */
  post(message: unknown): void
  /** Stops it at once, in the middle of what it does. */
  end(): Promise<void>
}

export interface ThreadHandler {
  onMessage(message: unknown): void
  /** It is over: with an error if it was not asked to end. */
  onEnd(error: Error | undefined): void
}

export type OpenThread = (handler: ThreadHandler) => Thread
