import { createContainer, createWithTtl } from '../../zk-schema/session/rare-requests'
import { ZooKeeperError } from '../../zk-schema/session/errors'
import { codeLine, parseAcl, statLines } from './format'
import { visitSubtree } from './read-commands'
import { CommandError, checkPath, wholeNumber } from './words'
import type { Command, Terminal } from './command'
import type { ParsedWords } from './words'

/** As many as ZooKeeper's own shell deletes in one multi. */
const DELETE_BATCH = 1000

const LONGEST_TTL_MS = 0xffffffffff

function versionOf(words: ParsedWords): number {
  return wholeNumber(words.value('v'), -1, `For input string: "${words.value('v') ?? ''}"`)
}

const create: Command = {
  usage: '[-s] [-e] [-c] [-t ttl] path [data] [acl]',
  letters: { s: false, e: false, c: false, t: true },
  least: 2,
  async run({ session, err }, words) {
    const [ephemeral, sequential, container, ttl] = [words.has('e'), words.has('s'), words.has('c'), words.value('t')]
    if (container && (ephemeral || sequential)) {
      throw new CommandError('-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.')
    }
    const ttlMs = wholeNumber(ttl, 0, '-t argument must be a long value')
    if (ttl !== undefined && ephemeral) throw new CommandError('TTLs cannot be used with Ephemeral znodes')
    if (ttl !== undefined && container) throw new CommandError('TTLs cannot be used with Container znodes')
    if (ttl !== undefined && (ttlMs <= 0 || ttlMs > LONGEST_TTL_MS)) {
      throw new CommandError(`ttl must be positive and cannot be larger than: ${LONGEST_TTL_MS}`)
    }
    const [, path = '', text, aclText] = words.args
    // A sequence number is still to follow.
    checkPath(sequential ? `${path}1` : path)
    const data = text === undefined ? null : Buffer.from(text)
    const acl = aclText === undefined ? {} : { acl: parseAcl(aclText, err) }
    const created = container
      ? await createContainer(session, path, data, acl.acl)
      : ttl !== undefined
        ? await createWithTtl(session, path, data, { ttlMs, sequential, ...acl })
        : (await session.create(path, data, { ephemeral, sequential, ...acl })).path
    err(`Created ${created}`)
  },
}

const set: Command = {
  usage: '[-s] [-v version] path data',
  letters: { s: false, v: true },
  least: 3,
  async run({ session, out }, words) {
    const [, path = '', data = ''] = words.args
    const stat = await session.set(checkPath(path), Buffer.from(data), versionOf(words))
    if (words.has('s')) statLines(stat).forEach(out)
  },
}

const remove: Command = {
  usage: '[-v version] path',
  letters: { v: true },
  least: 2,
  async run({ session, err }, words) {
    if (words.args.length > 2) err("'delete path [version]' has been deprecated. Please use 'delete [-v version] path' instead.")
    await session.remove(checkPath(words.args[1]!), versionOf(words))
  },
}

async function subtree(terminal: Terminal, path: string): Promise<string[]> {
  const paths: string[] = []
  await visitSubtree(terminal, path, false, (each) => void paths.push(each))
  return paths
}

const removeAll: Command = {
  usage: 'path [-b batch size]',
  letters: { b: true },
  least: 2,
  async run(terminal, words) {
    const batch = Math.max(wholeNumber(words.value('b'), DELETE_BATCH, '-b argument must be an int value'), 1)
    // What is deeper stands later, and goes first.
    const paths = (await subtree(terminal, checkPath(words.args[1]!))).sort((a, b) => a.split('/').length - b.split('/').length)
    try {
      while (paths.length > 0) {
        await terminal.session.multi(
          paths
            .splice(-batch)
            .reverse()
            .map((path) => ({ type: 'remove' as const, path, version: -1 })),
        )
      }
    } catch (error) {
      if (!(error instanceof ZooKeeperError)) throw error
      terminal.err('Failed to delete some node(s) in the subtree!')
    }
  },
}

const setAcl: Command = {
  usage: '[-s] [-v version] [-R] path acl',
  letters: { s: false, v: true, R: false },
  least: 3,
  async run(terminal, words) {
    const { session, out, err } = terminal
    const [, path = '', text = ''] = words.args
    const acl = parseAcl(text, err)
    const version = versionOf(words)
    if (!words.has('R')) {
      const stat = await session.setAcl(checkPath(path), acl, version)
      if (words.has('s')) statLines(stat).forEach(out)
      return
    }
    await visitSubtree(terminal, checkPath(path), false, async (each) => {
      await session
        .setAcl(each, acl, version)
        .catch((error: unknown) => out(error instanceof ZooKeeperError ? codeLine(error) : String(error)))
    })
  },
}

export const writeCommands: Readonly<Record<string, Command>> = { create, set, delete: remove, deleteall: removeAll, setAcl }
