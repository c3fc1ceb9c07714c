/** The program of a thread that cleans logs; the broker starts it when there is something to clean. */
import { realClock } from '../runtime/real-clock'
import { realDisk } from '../runtime/real-disk'
import { serveThread } from '../runtime/real-threads'
import { CleaningThread } from './log/cleaner/thread-cleaning'
import type { CleaningOrder } from './log/cleaner/thread-cleaning'

serveThread((post) => {
  const thread = new CleaningThread(realDisk, realClock, post)
  return (message) => thread.onOrder(message as CleaningOrder)
})
