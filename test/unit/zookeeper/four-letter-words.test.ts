import { connect } from 'node:net'
import { realEnvironment } from '../../../runtime/real'
import { startZooKeeperServer } from '../../../zookeeper/server'
import type { RunningZooKeeperServer } from '../../../zookeeper/server'
import { answerFourLetterWord } from '../../../zookeeper/four-letter-words'
import type { Connection } from '../../../zookeeper/connection'
import type { ZooKeeperServer } from '../../../zookeeper/server'
import { OpCode } from '../../../zookeeper/protocol'
import { RawClient } from '../../zookeeper/raw-client'
import { OPEN, writeAclSpec } from '../../zookeeper/transcript'

let server: RunningZooKeeperServer
let client: RawClient

beforeAll(async () => {
  server = await startZooKeeperServer(realEnvironment(), { tickTimeMs: 1000, maxClientConnections: 20 })
  client = await RawClient.start(server.port)
  await client.request(OpCode.create, (writer) => {
    writer.writeString('/e')
    writer.writeBuffer(null)
    writeAclSpec(writer, OPEN)
    writer.writeInt(1)
  })
  await client.request(OpCode.exists, (writer) => {
    writer.writeString('/e')
    writer.writeBool(true)
  })
})

afterAll(async () => {
  client.drop()
  await server.close()
})

function say(word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(server.port, '127.0.0.1', () => socket.write(word))
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
  })
}

test.each([
  ['ruok', /^imok$/],
  ['ruok\n', /^imok$/],
  ['isro', /^rw$/],
  [
    'srvr',
    /^Zookeeper version: .+\nLatency min\/avg\/max: \S+\nReceived: \d+\nSent: \d+\nConn\w+: 2\nOutstanding: 0\nZxid: 0x2\nMode: /,
  ],
  ['stat', /^Zookeeper version: .+\nClients:\n \/127\.0\.0\.1:\d+\[1\]\(queued=0,recved=3,sent=3\)\n[^]*Node count: 6\n$/],
  ['mntr', /^(zk_\w+\t\S.*\n)+$/],
  ['mntr', /\nzk_server_state\tstandalone\n[^]*\nzk_znode_count\t6\nzk_watch_count\t1\nzk_ephemerals_count\t1\n/],
  ['conf', /^clientPort=\d+\n[^]*\ntickTime=1000\nmaxClientCnxns=20\nminSessionTimeout=2000\nmaxSessionTimeout=20000\n/],
  ['cons', /sid=0x[0-9a-f]+,lop=exists,to=10000,lcxid=0x2\)/],
  [
    'dump',
    /Session Sets \(1\)\/\(1\):\n1 expire in \d+ms:\n\t0x\w+\nephemeral nodes dump:\nSessions with Eph\w+ \(1\):\n0x\w+:\n\t\/e/,
  ],
  ['wchs', /^1 connections watching 1 paths\nTotal watches:1\n$/],
  ['wchp', /^\/e\n\t0x[0-9a-f]+\n/],
  ['wchc', /^0x[0-9a-f]+\n\t\/e\n/],
  ['dirs', /^datadir_size: 0\nlogdir_size: 0\n$/],
  ['envi', /^Environment:\nzookeeper\.version=3\.8\.4/],
  ['crst', /^Connection stats reset\.\n$/],
  ['srst', /^Server stats reset\.\n$/],
  ['nope', /^$/],
])('%p', async (word, answer) => {
  expect(await say(word)).toMatch(answer)
})

test('from another machine only those that are allowed', () => {
  const far = { stream: { remoteAddress: '10.0.0.1' } } as Connection
  const ruok = 0x72756f6b
  const ask = (fourLetterWords: string[]): string | undefined =>
    answerFourLetterWord({ settings: { fourLetterWords } } as unknown as ZooKeeperServer, far, ruok)
  expect(ask(['srvr'])).toBe('ruok is not executed because it is not in the whitelist.\n')
  expect(ask(['srvr', 'ruok'])).toBe('imok')
  expect(ask(['*'])).toBe('imok')
})
