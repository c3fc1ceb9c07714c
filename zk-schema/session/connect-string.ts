import type { Random } from '../../runtime/ports'

export interface ServerAddress {
  host: string
  port: number
}

export interface ConnectString {
  servers: ServerAddress[]
  /** Empty, or a path that begins with a slash and does not end with one. */
  chroot: string
}

const DEFAULT_PORT = 2181

/**
 * Parses `zookeeper.connect`: `host:port,host:port/chroot`. A port may be missing (2181), an IPv6 host stands in brackets, the
 * chroot holds for the whole list. Throws an Error that says what is wrong with the text.
 */
export function parseConnectString(text: string): ConnectString {
  const slash = text.indexOf('/')
  const list = slash < 0 ? text : text.slice(0, slash)
  const chroot = slash < 0 ? '' : text.slice(slash).replace(/\/+$/, '')
  if (chroot.includes('//') || /\/\.\.?(\/|$)/.test(chroot)) throw new Error(`"${text}": the chroot ${chroot} is not a path`)
  const servers = list
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry) => parseServer(entry, text))
  if (servers.length === 0) throw new Error(`"${text}" names no ZooKeeper server; expected host:port,host:port/chroot`)
  return { servers, chroot }
}

function parseServer(entry: string, text: string): ServerAddress {
  const match = /^(?:\[([^\]]+)\]|([^:\s]+))(?::(\d{1,5}))?$/.exec(entry)
  const port = match?.[3] === undefined ? DEFAULT_PORT : Number(match[3])
  if (match === null || port < 1 || port > 65535) throw new Error(`"${text}": ${entry} is not host:port`)
  return { host: (match[1] ?? match[2])!, port }
}

/** The same in a random order, so that clients spread over the servers. */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    ;[result[i], result[j]] = [result[j]!, result[i]!]
  }
  return result
}
