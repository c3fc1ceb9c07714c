import { aclLines, failureLine, javaDate, parseAcl, statLines } from '../../../../cli/zookeeper-shell/format'
import { CommandError } from '../../../../cli/zookeeper-shell/words'
import { ZooKeeperError } from '../../../../zk-schema/session/errors'

test('a stat, line by line', () => {
  const lines = statLines({
    czxid: 0xca,
    mzxid: 0x1_0000_0000,
    ctimeMs: 0,
    mtimeMs: Date.UTC(2026, 10, 1, 2, 3, 4),
    version: 2,
    cversion: -2,
    aversion: 1,
    ephemeralOwner: -2n,
    dataLength: 5,
    numChildren: 0,
    pzxid: 7,
  })
  expect(lines).toEqual([
    'cZxid = 0xca',
    `ctime = ${javaDate(0)}`,
    'mZxid = 0x100000000',
    `mtime = ${javaDate(Date.UTC(2026, 10, 1, 2, 3, 4))}`,
    'pZxid = 0x7',
    'cversion = -2',
    'dataVersion = 2',
    'aclVersion = 1',
    'ephemeralOwner = 0xfffffffffffffffe',
    'dataLength = 5',
    'numChildren = 0',
  ])
})

test('a date as Java writes it', () => {
  expect(javaDate(Date.UTC(2026, 10, 1, 12, 3, 4))).toMatch(/^(Sat|Sun|Mon) (Oct|Nov) \d\d \d\d:\d3:04 \S+ 2026$/)
  if (new Date().getTimezoneOffset() === 0) expect(javaDate(0)).toBe('Thu Jan 01 00:00:00 UTC 1970')
})

test('ACLs there and back', () => {
  const complaints: string[] = []
  const acl = parseAcl('world:anyone:cdrwa,digest:bob:x=:r,nonsense,ip:1.2.3.4:rx', (line) => complaints.push(line))
  expect(acl).toEqual([
    { scheme: 'world', id: 'anyone', perms: 31 },
    { scheme: 'digest', id: 'bob:x=', perms: 1 },
    { scheme: 'ip', id: '1.2.3.4', perms: 1 },
  ])
  expect(complaints).toEqual(['nonsense does not have the form scheme:id:perm', 'Unknown perm type: x'])
  expect(aclLines(acl)).toEqual(["'world,'anyone", ': cdrwa', "'digest,'bob:x=", ': r', "'ip,'1.2.3.4", ': r'])
})

test.each([
  ['NO_NODE', 'Node does not exist: /a'],
  ['NODE_EXISTS', 'Node already exists: /a'],
  ['NOT_EMPTY', 'Node not empty: /a'],
  ['BAD_VERSION', 'version No is not valid : /a'],
  ['NO_AUTH', 'Insufficient permission : /a'],
  ['INVALID_ACL', 'Acl is not valid : /a'],
  ['NO_CHILDREN_FOR_EPHEMERALS', 'Ephemerals cannot have children: /a'],
  ['UNIMPLEMENTED', 'KeeperErrorCode = Unimplemented for /a'],
  ['CONNECTION_LOSS', 'KeeperErrorCode = ConnectionLoss for /a'],
  ['SESSION_EXPIRED', 'KeeperErrorCode = Session expired for /a'],
  ['NO_WATCHER', 'KeeperErrorCode = No such watcher for /a'],
] as const)('%s in words', (code, line) => {
  expect(failureLine(new ZooKeeperError(code, 'get', '/a'))).toBe(line)
})

test('what the shell itself complains of stays as it is', () => {
  expect(failureLine(new CommandError('-t argument must be a long value'))).toBe('-t argument must be a long value')
})
