/** The program of a thread that cleans logs; the broker starts it when there is something to clean. */
import { realClock } from '../runtime/real-clock'
import { realDisk } from '../runtime/real-disk'
import { serveThread } from '../runtime/real-threads'
import { runCleaning } from './log/cleaner/thread-cleaning'
import type { StartCleaning } from './log/cleaner/thread-cleaning'

serveThread((message, post) => runCleaning(realDisk, realClock, message as StartCleaning, post))
