import { Shell } from '../../../../cli/zookeeper-shell/shell'
import { realEnvironment } from '../../../../runtime/real'
import { startZooKeeperServer } from '../../../../zookeeper/server'

const env = realEnvironment()
let server: Awaited<ReturnType<typeof startZooKeeperServer>>
let shell: Shell
let lines: string[]

beforeAll(async () => {
  server = await startZooKeeperServer(env, { host: '127.0.0.1', port: 0, extendedTypesEnabled: true })
})
afterAll(() => server.close())

beforeEach(() => {
  lines = []
  shell = newShell()
})
afterEach(() => shell.close())

function newShell(chroot = ''): Shell {
  return new Shell(env, {
    connect: `127.0.0.1:${server.port}${chroot}`,
    sessionTimeoutMs: 10_000,
    out: (line) => lines.push(line),
    err: (line) => lines.push(`E ${line}`),
  })
}

/** What a line prints, without the event of the connection. */
async function type(line: string): Promise<string[]> {
  const first = lines.length
  await shell.executeLine(line)
  return lines.slice(first).filter((each) => !each.includes('type:None'))
}

const event = (type: string, path: string) => `\nWATCHER::\n\nWatchedEvent state:SyncConnected type:${type} path:${path}`

test('one command on the command line, and its exit code', async () => {
  await shell.execute(['ls', '/'])
  expect(lines).toEqual(['\nWATCHER::\n\nWatchedEvent state:SyncConnected type:None path:null', '[zookeeper]'])
  expect(shell.exitCode).toBe(0)
  await shell.execute(['get', '/nope'])
  expect([lines.at(-1), shell.exitCode]).toEqual(['E Node does not exist: /nope', 1])
  await shell.execute(['ls', 'relative'])
  expect(lines.at(-1)).toBe('E Path must start with / character')
  await shell.execute(['nosuch'])
  expect([lines.at(-1), shell.exitCode]).toEqual(['E Command not found: Command not found nosuch', 127])
  expect(lines).toContain('E \tls [-s] [-w] [-R] path')
})

test('nodes are made, read, changed and removed', async () => {
  expect(await type('create /n hello')).toEqual(['E Created /n'])
  expect(await type('create /n again')).toEqual(['E Node already exists: /n'])
  expect(await type('create -s /n/seq- "some data"')).toEqual(['E Created /n/seq-0000000000'])
  expect(await type('create -c /n/box')).toEqual(['E Created /n/box'])
  expect(await type('create -t 60000 /n/ttl x')).toEqual(['E Created /n/ttl'])
  expect(await type('create -e -s /n/mine')).toEqual(['E Created /n/mine0000000003'])
  expect(await type('ls /n')).toEqual(['[box, mine0000000003, seq-0000000000, ttl]'])
  expect(await type('ls -R /n')).toEqual(['/n', '/n/box', '/n/mine0000000003', '/n/seq-0000000000', '/n/ttl'])
  expect(await type('get /n/seq-0000000000')).toEqual(['some data'])
  expect(await type('get /n/box')).toEqual(['null'])
  expect(await type('getEphemerals')).toEqual(['[/n/mine0000000003]'])
  expect(await type('getAllChildrenNumber /n')).toEqual(['4'])
  expect((await type('set -s -v 0 /n new')).slice(6, 7)).toEqual(['dataVersion = 1'])
  expect(await type('set -v 0 /n newer')).toEqual(['E version No is not valid : /n'])
  expect((await type('get -s /n')).filter((line) => /^new$|numChildren/.test(line))).toEqual(['new', 'numChildren = 4'])
  expect((await type('stat /n'))[9]).toBe('dataLength = 3')
  expect(await type('delete /n')).toEqual(['E Node not empty: /n'])
  expect(await type('deleteall /n')).toEqual([])
  expect(await type('stat /n')).toEqual(['E Node does not exist: /n'])
})

test.each([
  ['create -e -c /x', '-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.'],
  ['create -e -t 5 /x', 'TTLs cannot be used with Ephemeral znodes'],
  ['create -t x /x', '-t argument must be a long value'],
  ['create', 'create [-s] [-e] [-c] [-t ttl] path [data] [acl]'],
  ['get', 'get [-s] [-w] path'],
  ['set /x', 'set [-s] [-v version] path data'],
  ['ls -x /', 'org.apache.commons.cli.UnrecognizedOptionException: Unrecognized option: -x'],
  ['removewatches /zookeeper', 'KeeperErrorCode = No such watcher for /zookeeper'],
  ['redo 99', 'Command index out of range'],
])('%s', async (line, complaint) => {
  expect(await type(line)).toEqual([`E ${complaint}`])
})

test('watches fire once, or stay until they are removed', async () => {
  await type('create /w 1')
  await type('get -w /w')
  await type('ls -w /w')
  expect(await type('set /w 2')).toEqual([event('NodeDataChanged', '/w')])
  expect(await type('set /w 3')).toEqual([])
  expect(await type('create /w/child')).toEqual([event('NodeChildrenChanged', '/w'), 'E Created /w/child'])
  await type('addWatch /w')
  expect(await type('set /w/child x')).toEqual([event('NodeDataChanged', '/w/child')])
  expect(await type('delete /w/child')).toEqual([event('NodeDeleted', '/w/child')])
  expect(await type('printwatches off')).toEqual([])
  expect(await type('set /w 4')).toEqual([])
  expect(await type('printwatches')).toEqual(['printwatches is off'])
  await type('printwatches on')
  expect(await type('removewatches /w')).toEqual([event('PersistentWatchRemoved', '/w')])
  expect(await type('delete /w')).toEqual([])
})

test('who may do what', async () => {
  await type('create /acl x')
  expect(await type('getAcl /acl')).toEqual(["'world,'anyone", ': cdrwa'])
  expect((await type('whoami'))[0]).toBe('Auth scheme: User')
  await type('addauth digest bob:secret')
  expect(await type('setAcl /acl auth::cdrwa')).toEqual([])
  expect((await type('getAcl /acl'))[0]).toMatch(/^'digest,'bob:/)
  expect(await type('whoami')).toContain('digest: bob')
  expect(await type('sync /acl')).toEqual(['Sync is OK'])
  await type('delete /acl')
})

test('history, redo, close and connect', async () => {
  await type('ls /')
  expect(await type('redo 0')).toEqual(['[zookeeper]'])
  expect(await type('history')).toEqual(['0 - ls /', '1 - ls /', '2 - history'])
  await type('close')
  expect(lines.at(-1)).toContain('state:Closed')
  expect(await type('ls /')).toEqual(['Not connected'])
  await type('connect')
  expect(await type('ls /')).toEqual(['[zookeeper]'])
  expect(shell.prompt).toBe(`[zk: 127.0.0.1:${server.port}(CONNECTED) 7] `)
  await type('quit')
  expect(shell.isOver).toBe(true)
})

test('inside a chroot paths are its own', async () => {
  await type('create /root')
  await type('create /root/a')
  await shell.close()
  shell = newShell('/root')
  expect(await type('ls /')).toEqual(['[a]'])
  expect(await type('create -e /e')).toEqual(['E Created /e'])
  expect(await type('create -c /c')).toEqual(['E Created /c'])
  expect(await type('getEphemerals /')).toEqual(['[/e]'])
  expect(await type('deleteall /c')).toEqual([])
})
