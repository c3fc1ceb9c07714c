import { ConfigError } from '../../config'
import { CooperativeStickyAssignor } from './cooperative-sticky'
import { RangeAssignor } from './range'
import { RoundRobinAssignor } from './round-robin'
import { StickyAssignor } from './sticky'
import type { Assignor, RebalanceProtocol } from './assignor'

/** By short name, as librdkafka has it, and by the name of Kafka's class. */
const makers: Readonly<Record<string, () => Assignor>> = {
  range: () => new RangeAssignor(),
  roundrobin: () => new RoundRobinAssignor(),
  sticky: () => new StickyAssignor(),
  'cooperative-sticky': () => new CooperativeStickyAssignor(),
  RangeAssignor: () => new RangeAssignor(),
  RoundRobinAssignor: () => new RoundRobinAssignor(),
  StickyAssignor: () => new StickyAssignor(),
  CooperativeStickyAssignor: () => new CooperativeStickyAssignor(),
}

/** Assignors for `partition.assignment.strategy`. Throws ConfigError for a name that is not known or that comes twice. */
export function assignorsFor(wanted: readonly (string | Assignor)[]): Assignor[] {
  const assignors = wanted.map((each) => {
    if (typeof each !== 'string') return each
    const make = makers[each.trim().replace(/^org\.apache\.kafka\.clients\.consumer\./, '')]
    if (make === undefined)
      throw new ConfigError(
        `Invalid value ${each} for configuration partition.assignment.strategy: Class ${each} could not be found.`,
      )
    return make()
  })
  const names = assignors.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new ConfigError(`The assignor name: '${twice}' is used in more than one assignor`)
  return assignors
}

/** The most cooperative protocol that all of them know. */
export function protocolOf(assignors: readonly Assignor[]): RebalanceProtocol {
  return assignors.every(({ protocols }) => protocols.includes('cooperative')) && assignors.length > 0 ? 'cooperative' : 'eager'
}
