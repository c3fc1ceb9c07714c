import { parentPort, Worker } from 'node:worker_threads'
import type { OpenThread } from './threads'

/** Opens threads that run `file`, a program that calls `serveThread`. */
export function threadsRunning(file: string): OpenThread {
  return (handler) => {
    const worker = new Worker(file)
    // A process that has nothing else to do may end.
    worker.unref()
    let failure: Error | undefined
    let isAsked = false
    worker.on('message', (message) => handler.onMessage(message))
    worker.on('error', (error) => {
      failure = error
    })
    worker.on('exit', (code) => handler.onEnd(isAsked ? undefined : (failure ?? new Error(`A thread ended with code ${code}`))))
    return {
      post: (message) => worker.postMessage(message),
      async end() {
        isAsked = true
        await worker.terminate()
      },
    }
  }
}

/** What a thread's program does: `begin` gets the way back, and gives what is called with each message. */
export function serveThread(begin: (post: (message: unknown) => void) => (message: unknown) => void): void {
  const port = parentPort
  if (port === null) throw new Error('This program runs only as a thread of a broker.')
  port.on('message', begin((message) => port.postMessage(message)))
}
