import { WatchEventType } from '../../zk-schema/session/watches'
import { ZooKeeperError } from '../../zk-schema/session/errors'
import { CommandError } from './words'
import type { ZooKeeperErrorCode } from '../../zk-schema/session/errors'
import type { Acl, Stat } from '../../zk-schema/session/session'

/** What ZooKeeper's StatPrinter prints, in its order. */
export function statLines(stat: Stat): string[] {
  return [
    `cZxid = 0x${stat.czxid.toString(16)}`,
    `ctime = ${javaDate(stat.ctimeMs)}`,
    `mZxid = 0x${stat.mzxid.toString(16)}`,
    `mtime = ${javaDate(stat.mtimeMs)}`,
    `pZxid = 0x${stat.pzxid.toString(16)}`,
    `cversion = ${stat.cversion}`,
    `dataVersion = ${stat.version}`,
    `aclVersion = ${stat.aversion}`,
    `ephemeralOwner = 0x${BigInt.asUintN(64, stat.ephemeralOwner).toString(16)}`,
    `dataLength = ${stat.dataLength}`,
    `numChildren = ${stat.numChildren}`,
  ]
}

/** `Sat Nov 21 12:59:38 UTC 2026`, in the zone of this machine: Java's Date.toString. */
export function javaDate(ms: number): string {
  const date = new Date(ms)
  const [weekday, month, day, year, time] = date.toString().split(' ')
  const zoneIn = (locale: string): string =>
    new Intl.DateTimeFormat(locale, { timeZoneName: 'short' }).formatToParts(date).find(({ type }) => type === 'timeZoneName')
      ?.value ?? ''
  // Each locale knows the short names of its own part of the world only.
  const zone = ['en-US', 'en-GB', 'en-AU'].map(zoneIn).find((name) => !/\d/.test(name)) ?? zoneIn('en-US')
  return `${weekday} ${month} ${day} ${time} ${zone} ${year}`
}

const PERMISSIONS: readonly [letter: string, bit: number][] = [
  ['c', 4],
  ['d', 8],
  ['r', 1],
  ['w', 2],
  ['a', 16],
]

/** Two lines per entry, since an id prints with a newline behind it. */
export function aclLines(acl: readonly Acl[]): string[] {
  return acl.flatMap(({ scheme, id, perms }) => [
    `'${scheme},'${id}`,
    `: ${PERMISSIONS.filter(([, bit]) => (perms & bit) !== 0)
      .map(([letter]) => letter)
      .join('')}`,
  ])
}

/** `scheme:id:cdrwa`, by comma. What cannot be read is told by `complain` and left out. */
export function parseAcl(text: string, complain: (line: string) => void): Acl[] {
  return text.split(',').flatMap((entry) => {
    const [first, last] = [entry.indexOf(':'), entry.lastIndexOf(':')]
    if (first === last) {
      complain(`${entry} does not have the form scheme:id:perm`)
      return []
    }
    const perms = [...entry.slice(last + 1)].reduce((sum, letter) => {
      const found = PERMISSIONS.find(([each]) => each === letter)
      if (found === undefined) complain(`Unknown perm type: ${letter}`)
      return sum | (found?.[1] ?? 0)
    }, 0)
    return [{ scheme: entry.slice(0, first), id: entry.slice(first + 1, last), perms }]
  })
}

const EVENT_NAMES: Record<number, string> = {
  [WatchEventType.created]: 'NodeCreated',
  [WatchEventType.deleted]: 'NodeDeleted',
  [WatchEventType.dataChanged]: 'NodeDataChanged',
  [WatchEventType.childrenChanged]: 'NodeChildrenChanged',
}

export function eventName(type: number): string {
  return EVENT_NAMES[type] ?? `Unknown(${type})`
}

const WORDS: Partial<Record<ZooKeeperErrorCode, string>> = {
  NO_NODE: 'Node does not exist:',
  NO_CHILDREN_FOR_EPHEMERALS: 'Ephemerals cannot have children:',
  NODE_EXISTS: 'Node already exists:',
  NOT_EMPTY: 'Node not empty:',
  NOT_READ_ONLY: 'Not a read-only call:',
  INVALID_ACL: 'Acl is not valid :',
  NO_AUTH: 'Insufficient permission :',
  BAD_ARGUMENTS: 'Arguments are not valid :',
  BAD_VERSION: 'version No is not valid :',
  QUOTA_EXCEEDED: 'Quota has exceeded :',
}

/** Codes whose name is not their constant's in camel case. */
const CODE_NAMES: Partial<Record<ZooKeeperErrorCode, string>> = {
  API_ERROR: 'APIError',
  SESSION_EXPIRED: 'Session expired',
  CLOSED: 'Session expired',
  SESSION_MOVED: 'Session moved',
  NO_WATCHER: 'No such watcher',
  RECONFIG_DISABLED: 'Reconfig is disabled',
  THROTTLED_OP: 'Op throttled due to high load',
  CONNECTION_TIMEOUT: 'ConnectionLoss',
}

/** What the shell says when ZooKeeper refuses; the shell's own complaints stay as they are. */
export function failureLine(error: unknown): string {
  if (error instanceof CommandError) return error.message
  if (!(error instanceof ZooKeeperError)) return error instanceof Error ? error.message : String(error)
  const words = WORDS[error.code]
  return words === undefined ? codeLine(error) : `${words} ${error.path}`
}

/** KeeperException's message. */
export function codeLine(error: ZooKeeperError): string {
  const camel = error.code.toLowerCase().replace(/(^|_)([a-z])/g, (_match, _blank, letter: string) => letter.toUpperCase())
  return `KeeperErrorCode = ${CODE_NAMES[error.code] ?? camel} for ${error.path}`
}
