import { allChildrenNumber, ephemerals } from '../../zk-schema/session/rare-requests'
import { ZooKeeperError } from '../../zk-schema/session/errors'
import { aclLines, statLines } from './format'
import { checkPath } from './words'
import type { Command, Terminal } from './command'
import type { ParsedWords } from './words'

const STAT_AND_WATCH = { s: false, w: false }

/** `ls path true` is how ZooKeeper 3.4 armed a watch. */
function wantsWatch({ err }: Terminal, words: ParsedWords, name: string, instead: string): boolean {
  if (words.args.length > 2) err(`'${name} path [watch]' has been deprecated. Please use '${instead}' instead.`)
  return words.has('w') || words.args.length > 2
}

function noNode(path: string): ZooKeeperError {
  return new ZooKeeperError('NO_NODE', 'read', path)
}

/** Calls `visit` for the node and all below it: first all the children of a node, then what is below each. */
export async function visitSubtree(
  { session }: Terminal,
  path: string,
  watch: boolean,
  visit: (path: string) => Promise<void> | void,
): Promise<void> {
  if ((await session.get(path, watch)) === undefined) throw noNode(path)
  await visit(path)
  const below = async (parent: string): Promise<void> => {
    // What was deleted meanwhile is passed over.
    const names = ((await session.children(parent, watch))?.names ?? []).sort()
    const paths = names.map((name) => (parent === '/' ? `/${name}` : `${parent}/${name}`))
    for (const each of paths) await visit(each)
    for (const each of paths) await below(each)
  }
  await below(path)
}

const ls: Command = {
  usage: '[-s] [-w] [-R] path',
  letters: { ...STAT_AND_WATCH, R: false, '?': false },
  least: 2,
  async run(terminal, words) {
    const watch = wantsWatch(terminal, words, 'ls', 'ls [-w] path')
    const path = checkPath(words.args[1]!)
    if (words.has('R')) return visitSubtree(terminal, path, watch, terminal.out)
    const found = await terminal.session.children(path, watch)
    if (found === undefined) throw noNode(path)
    terminal.out(`[${found.names.sort().join(', ')}]`)
    if (words.has('s')) statLines(found.stat).forEach(terminal.out)
  },
}

const get: Command = {
  usage: '[-s] [-w] path',
  letters: STAT_AND_WATCH,
  least: 2,
  async run(terminal, words) {
    const watch = wantsWatch(terminal, words, 'get', 'get [-s] [-w] path')
    const path = checkPath(words.args[1]!)
    const found = await terminal.session.get(path, watch)
    if (found === undefined) throw noNode(path)
    terminal.out(found.data === null ? 'null' : found.data.toString('utf8'))
    if (words.has('s')) statLines(found.stat).forEach(terminal.out)
  },
}

const stat: Command = {
  usage: '[-w] path',
  letters: { w: false },
  least: 2,
  async run(terminal, words) {
    const watch = wantsWatch(terminal, words, 'stat', 'stat [-w] path')
    const path = checkPath(words.args[1]!)
    const found = await terminal.session.exists(path, watch)
    if (found === undefined) throw noNode(path)
    statLines(found).forEach(terminal.out)
  },
}

const getAcl: Command = {
  usage: '[-s] path',
  letters: { s: false },
  least: 2,
  async run({ session, out }, words) {
    const { acl, stat: found } = await session.getAcl(checkPath(words.args[1]!))
    aclLines(acl).forEach(out)
    if (words.has('s')) statLines(found).forEach(out)
  },
}

const getEphemerals: Command = {
  usage: 'path',
  letters: {},
  least: 1,
  async run({ session, out }, { args }) {
    out(`[${(await ephemerals(session, checkPath(args[1] ?? '/'))).join(', ')}]`)
  },
}

const getAllChildrenNumber: Command = {
  usage: 'path',
  letters: {},
  least: 2,
  async run({ session, out }, { args }) {
    out(String(await allChildrenNumber(session, checkPath(args[1]!))))
  },
}

const CONFIG_PATH = '/zookeeper/config'

const config: Command = {
  usage: '[-c] [-w] [-s]',
  letters: { c: false, ...STAT_AND_WATCH },
  least: 1,
  async run({ session, out }, words) {
    const found = await session.get(CONFIG_PATH, words.has('w'))
    if (found === undefined) throw noNode(CONFIG_PATH)
    const text = found.data === null ? 'null' : found.data.toString('utf8')
    out(words.has('c') ? clientAddresses(text) : text)
    if (words.has('s')) statLines(found.stat).forEach(out)
  },
}

/** The `host:port` for clients of each `server.N=...;host:port` line. */
function clientAddresses(text: string): string {
  return text
    .split('\n')
    .flatMap((line) => /^server\.\d+=.*;(.*)$/.exec(line.trim())?.[1] ?? [])
    .join(',')
}

const sync: Command = {
  usage: 'path',
  letters: {},
  least: 2,
  async run({ session, out }, { args }) {
    await session.sync(checkPath(args[1]!))
    out('Sync is OK')
  },
}

export const readCommands: Readonly<Record<string, Command>> = {
  ls,
  get,
  stat,
  getAcl,
  getEphemerals,
  getAllChildrenNumber,
  config,
  sync,
}
