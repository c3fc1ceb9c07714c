/** The numbers of ZooKeeper's wire and log (ZooDefs, KeeperException, Watcher). Names are Apache's. */

export const OpCode = {
  notification: 0,
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getACL: 6,
  setACL: 7,
  getChildren: 8,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  create2: 15,
  reconfig: 16,
  checkWatches: 17,
  removeWatches: 18,
  createContainer: 19,
  deleteContainer: 20,
  createTTL: 21,
  multiRead: 22,
  auth: 100,
  setWatches: 101,
  sasl: 102,
  getEphemerals: 103,
  getAllChildrenNumber: 104,
  setWatches2: 105,
  addWatch: 106,
  whoAmI: 107,
  createSession: -10,
  closeSession: -11,
  error: -1,
} as const

export type OpCode = (typeof OpCode)[keyof typeof OpCode]

export const Code = {
  OK: 0,
  RUNTIMEINCONSISTENCY: -2,
  MARSHALLINGERROR: -5,
  UNIMPLEMENTED: -6,
  BADARGUMENTS: -8,
  NONODE: -101,
  NOAUTH: -102,
  BADVERSION: -103,
  NOCHILDRENFOREPHEMERALS: -108,
  NODEEXISTS: -110,
  NOTEMPTY: -111,
  SESSIONEXPIRED: -112,
  INVALIDACL: -114,
  AUTHFAILED: -115,
  NOWATCHER: -121,
  RECONFIGDISABLED: -123,
} as const

export type Code = (typeof Code)[keyof typeof Code]

/** The xids that are not a client's own count. */
export const Xid = { notification: -1, ping: -2, auth: -4, setWatches: -8 } as const

export const Perms = { read: 1, write: 2, create: 4, delete: 8, admin: 16, all: 31 } as const

export const EventType = { nodeCreated: 1, nodeDeleted: 2, nodeDataChanged: 3, nodeChildrenChanged: 4 } as const

export type EventType = (typeof EventType)[keyof typeof EventType]

/** KeeperState.SyncConnected, the only state that a server sends. */
export const SYNC_CONNECTED = 3

/** What the sender of a request did wrong: its answer carries `code` and no body. */
export class KeeperError extends Error {
  override readonly name = 'KeeperError'
  readonly code: Code

  constructor(code: Code) {
    super(`ZooKeeper error ${code}`)
    this.code = code
  }
}
