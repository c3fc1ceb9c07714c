import { removeWatches, whoAmI } from '../../zk-schema/session/rare-requests'
import { KAFKA_VERSION } from '../tool/version'
import { CommandError, checkPath } from './words'
import type { Command } from './command'
import type { ArmedWatch, WatchKind } from '../../zk-schema/session/watches'

const ADD_WATCH_USAGE =
  '[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is PERSISTENT_RECURSIVE'

const addWatch: Command = {
  usage: ADD_WATCH_USAGE,
  letters: { m: true },
  least: 2,
  async run({ session }, words) {
    const mode = words.value('m')?.toUpperCase() ?? 'PERSISTENT_RECURSIVE'
    if (words.args.length !== 2 || (mode !== 'PERSISTENT' && mode !== 'PERSISTENT_RECURSIVE'))
      throw new CommandError(`addWatch ${ADD_WATCH_USAGE}`)
    // Its events are printed like all others.
    await session.addPersistentWatch(checkPath(words.args[1]!), { recursive: mode === 'PERSISTENT_RECURSIVE' }, () => {})
  },
}

const KIND_OF_LETTER: readonly [letter: string, kind: WatchKind][] = [
  ['c', 'children'],
  ['d', 'data'],
  ['p', 'persistent'],
  ['r', 'persistentRecursive'],
  ['a', 'any'],
]

const REMOVED: Record<ArmedWatch, string> = {
  children: 'ChildWatchRemoved',
  data: 'DataWatchRemoved',
  persistent: 'PersistentWatchRemoved',
  persistentRecursive: 'PersistentWatchRemoved',
}

const removewatches: Command = {
  usage: 'path [-c|-d|-a] [-l]',
  letters: { c: false, d: false, p: false, r: false, a: false, l: false },
  least: 2,
  async run({ session, tell }, words) {
    const path = checkPath(words.args[1]!)
    const kind = KIND_OF_LETTER.find(([letter]) => words.has(letter))?.[1] ?? 'any'
    for (const removed of await removeWatches(session, path, kind)) tell(REMOVED[removed], path)
  },
}

const addauth: Command = {
  usage: 'scheme auth',
  letters: {},
  least: 2,
  run({ session }, { args }) {
    session.addAuth({ scheme: args[1]!, auth: Buffer.from(args[2] ?? '') })
    return Promise.resolve()
  },
}

const whoami: Command = {
  usage: '',
  letters: {},
  least: 1,
  async run({ session, out }) {
    out('Auth scheme: User')
    for (const { scheme, user } of await whoAmI(session)) out(`${scheme}: ${user}`)
  },
}

const version: Command = {
  usage: '',
  letters: {},
  least: 1,
  run({ out }) {
    out(`ZooKeeper CLI version: prekraft, for Kafka ${KAFKA_VERSION}`)
    return Promise.resolve()
  },
}

export const sessionCommands: Readonly<Record<string, Command>> = { addWatch, removewatches, addauth, whoami, version }
