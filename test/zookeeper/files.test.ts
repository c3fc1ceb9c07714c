import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realEnvironment } from '../../runtime/real'
import { OpCode } from '../../zookeeper/protocol'
import { startZooKeeperServer } from '../../zookeeper/server'
import { startApacheZooKeeper } from './apache'
import { Transcript, op } from './transcript'

const testLive = process.env.PREKRAFT_LIVE_ZOOKEEPER === undefined ? test.skip : test
const APACHE_PORT = 23220

/** A bit of everything that files hold; `where` keeps two runs apart. */
async function fill(port: number, where: string): Promise<void> {
  const s = await new Transcript(port).session(20_000)
  await s.create(`/${where}`, 'data')
  await s.create(`/${where}/null`, null)
  await s.create(`/${where}/seq-`, 'x', 2)
  await s.create2(`/${where}/two`, 'x')
  await s.create(`/${where}/ephemeral`, 'x', 1)
  await s.createContainer(`/${where}/box`)
  await s.auth('digest', 'joe:pass')
  await s.create(`/${where}/joe`, 'x', 0, [
    { perms: 31, scheme: 'auth', id: '' },
    { perms: 1, scheme: 'world', id: 'anyone' },
  ])
  await s.setAcl(`/${where}/two`, [{ perms: 31, scheme: 'ip', id: '127.0.0.1' }])
  await s.multi(op.create(`/${where}/m`), op.set(`/${where}/m`, 'm', 0), op.delete(`/${where}/seq-0000000001`))
  await s.multi(op.check(`/${where}/m`, 7))
  await s.set('/nix', 'an error has a zxid too')
  const gone = await new Transcript(port).session()
  await gone.create(`/${where}/gone`, '', 1)
  await gone.end()
  s.client.drop()
}

/** What a client can see of it, zxids and times included. */
async function look(port: number): Promise<string[]> {
  const transcript = new Transcript(port)
  const s = await transcript.session()
  await s.auth('digest', 'joe:pass')
  // The session that looks has taken a zxid of its own.
  transcript.lines.length = 0
  for (const path of ['/', '/zookeeper', '/zookeeper/config']) await s.children2(path)
  for (const where of ['ours', 'theirs']) {
    await s.children2(`/${where}`)
    for (const name of ['', '/null', '/two', '/ephemeral', '/box', '/joe', '/m', '/gone']) {
      await s.get(`/${where}${name}`)
      await s.getAcl(`/${where}${name}`)
    }
  }
  const lines = transcript.lines.map((line) => line.replace(/^s\d+ /, '').replace(/zxid=\d+/, ''))
  await s.end()
  return lines
}

async function ours(dataDir: string, work: (port: number) => Promise<void>, snapCount = 100_000): Promise<void> {
  const server = await startZooKeeperServer(realEnvironment(), { dataDir, snapCount })
  try {
    await work(server.port)
  } finally {
    await server.close()
  }
}

testLive.each([2, 100_000])(
  'Apache ZooKeeper reads our files, and we read what it then makes of them (a snapshot every %d)',
  async (snapCount) => {
    const directory = mkdtempSync(join(tmpdir(), 'zookeeper-files-'))
    const dataDir = join(directory, 'data')
    try {
      let before: string[] = []
      await ours(
        dataDir,
        async (port) => {
          await fill(port, 'ours')
          before = await look(port)
        },
        snapCount,
      )
      const apache = await startApacheZooKeeper(APACHE_PORT, { dataDir })
      let after: string[] = []
      try {
        expect(await look(APACHE_PORT)).toEqual(before)
        await fill(APACHE_PORT, 'theirs')
        after = await look(APACHE_PORT)
      } finally {
        // kill -9: its log ends in padding.
        await apache.stop()
      }
      await ours(dataDir, async (port) => expect(await look(port)).toEqual(after))
      // Sessions came along: their ephemerals are there, and go with them.
      const first = await new Promise<string>((resolve) => {
        void ours(dataDir, async (port) => {
          const s = await new Transcript(port).session()
          const reply = await s.client.request(OpCode.getData, (writer) => {
            writer.writeString('/theirs/ephemeral')
            writer.writeBool(false)
          })
          resolve(String(reply?.code))
        })
      })
      expect(first).toBe('0')
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
  60_000,
)

test('a server that is closed and started again shows what it showed before', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'zookeeper-files-'))
  try {
    let before: string[] = []
    await ours(directory, async (port) => {
      await fill(port, 'ours')
      before = await look(port)
    })
    await ours(directory, async (port) => expect(await look(port)).toEqual(before))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
