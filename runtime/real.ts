import { realClock, realRandom } from './real-clock'
import { realDisk } from './real-disk'
import { realNet } from './real-net'
import type { Environment } from './ports'

/** The world as it is. */
export function realEnvironment(): Environment {
  return { clock: realClock, random: realRandom, disk: realDisk, net: realNet }
}
