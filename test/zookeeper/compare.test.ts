import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apacheClasspath } from './apache'
import { askApache, askEmbedded, record, recordedAnswers, withoutNews } from './compare'

const live = process.env.PREKRAFT_LIVE_ZOOKEEPER !== undefined
const APACHE_PORT = 23210

test('every operation and every error is answered as Apache ZooKeeper 3.8.4 does, in memory', async () => {
  expect(await askEmbedded(undefined)).toEqual(recordedAnswers())
})

test('and on disk', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'zookeeper-compare-'))
  try {
    expect(await askEmbedded(directory)).toEqual(recordedAnswers())
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

const testLive = live ? test : test.skip

testLive(
  'an Apache ZooKeeper that is running gives the recorded answers',
  async () => {
    const answers = await askApache(APACHE_PORT)
    if (process.env.PREKRAFT_LIVE_ZOOKEEPER === 'record') record(answers)
    const debian = apacheClasspath()!.startsWith('/usr/share/java')
    if (debian) expect(withoutNews(answers)).toEqual(withoutNews(recordedAnswers()))
    else expect(answers).toEqual(recordedAnswers())
  },
  120_000,
)
