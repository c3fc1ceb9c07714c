import { TimeoutError } from '../../../../client/cluster'
import { MirrorStream } from '../../../../cli/mirror-maker/stream'
import type { Consumer } from '../../../../client/consumer'
import type { ConsumerRecord } from '../../../../client/fetched'
import type { Mirror } from '../../../../cli/mirror-maker/stream'
import type { Producer, ProducerRecord } from '../../../../client/producer'
import type { RebalanceListener } from '../../../../client/consumer/subscription'

const record = (offset: number, value: string): ConsumerRecord => ({
  topic: 't',
  partition: 2,
  offset,
  timestamp: 100 + offset,
  timestampType: 'CreateTime',
  key: Buffer.from('k'),
  value: Buffer.from(value),
  headers: [{ key: 'h', value: Buffer.from('v') }],
  leaderEpoch: 0,
})

/** What happened, in order; `polls` is what the consumer gives before the mirror is stopped. */
function run(polls: ConsumerRecord[][], fails: (record: ProducerRecord) => boolean, changes: Partial<Mirror> = {}) {
  const log: string[] = []
  const sent: ProducerRecord[] = []
  let listener: RebalanceListener = {}
  const producer = {
    send(wanted: ProducerRecord) {
      sent.push(wanted)
      log.push(`send ${String(wanted.value)}`)
      return fails(wanted) ? Promise.reject(new Error('refused')) : Promise.resolve()
    },
    flush: () => Promise.resolve(void log.push('flush')),
  }
  const mirror: Mirror = {
    producer: producer as unknown as Producer,
    include: /^t$/,
    commitIntervalMs: 60_000,
    abortOnSendFailure: true,
    sync: false,
    state: 'running',
    copied: () => {},
    say: (text) => void log.push(text),
    nowMs: () => 0,
    pause: () => Promise.resolve(),
    ...changes,
  }
  const consumer = {
    subscribe: (_: RegExp, wanted: RebalanceListener) => void (listener = wanted),
    async poll() {
      const records = polls.shift()
      if (records === undefined) mirror.state = mirror.state === 'failed' ? 'failed' : 'stopping'
      if (records === null) throw new Error('broken')
      if (records?.length === 0) await listener.onPartitionsRevoked?.([])
      return records ?? []
    },
    commitSync: (offsets: { offset: number }[]) =>
      Promise.resolve(void log.push(`commit ${offsets.map(({ offset }) => offset).join()}`)),
    close: () => Promise.resolve(void log.push('close')),
  }
  const stream = new MirrorStream(mirror, consumer as unknown as Consumer)
  return stream.run().then(() => ({ log, sent, state: mirror.state }))
}

test('key, value, time and headers are copied, the partition is not; commits come after a flush', async () => {
  const { log, sent, state } = await run([[record(5, 'a'), record(6, 'b')]], () => false)
  expect(log).toEqual(['send a', 'send b', 'flush', 'commit 7', 'close'])
  expect(sent[0]).toEqual({
    topic: 't',
    key: Buffer.from('k'),
    value: Buffer.from('a'),
    headers: [{ key: 'h', value: Buffer.from('v') }],
    timestamp: 105,
  })
  expect(state).toBe('stopping')
})

test('partitions that go are committed before; nothing is committed twice', async () => {
  const { log } = await run([[record(5, 'a')], [], [record(6, 'b')]], () => false)
  expect(log).toEqual(['send a', 'flush', 'commit 6', 'send b', 'flush', 'commit 7', 'close'])
})

test('after a record that could not be sent nothing is committed', async () => {
  const { log, state } = await run([[record(5, 'a'), record(6, 'bad')]], ({ value }) => String(value) === 'bad')
  expect(log).toEqual(['send a', 'send bad', 'Error when sending message to topic t with error: refused', 'flush', 'close'])
  expect(state).toBe('failed')
})

test('unless it is to be left out', async () => {
  const { log, state } = await run([[record(5, 'a'), record(6, 'bad')]], ({ value }) => String(value) === 'bad', {
    abortOnSendFailure: false,
  })
  expect(log).toContain('commit 7')
  expect(state).toBe('stopping')
})

test('what goes wrong in the consumer ends the mirror', async () => {
  const broken = [[record(5, 'a')], null as unknown as ConsumerRecord[]]
  const { log, state } = await run(broken, () => false)
  expect(log.slice(0, 2)).toEqual(['send a', expect.stringMatching(/^Mirror maker thread failure due to /)])
  expect([log.at(-1), state]).toEqual(['close', 'failed'])
})

test('a topic that is gone does not hold up the commits of others', async () => {
  const commits: string[] = []
  const mirror = {
    producer: { send: () => Promise.resolve(), flush: () => Promise.resolve() },
    include: /./, commitIntervalMs: 60_000, abortOnSendFailure: true, sync: false, state: 'running',
    copied: () => {}, say: () => {}, nowMs: () => 0,
    pause: () => (commits.length > 5 ? Promise.reject(new Error('it goes on for ever')) : Promise.resolve()),
  } as unknown as Mirror
  const polls = [[{ ...record(5, 'a'), topic: 'gone' }, record(7, 'b')]]
  const consumer = {
    subscribe: () => {},
    poll: async () => {
      const records = polls.shift()
      if (records === undefined) mirror.state = 'stopping'
      return records ?? []
    },
    listTopics: async () => [{ name: 't' }],
    commitSync: async (offsets: { topic: string; offset: number }[]) => {
      commits.push(offsets.map(({ topic, offset }) => `${topic} ${offset}`).join())
      if (offsets.some(({ topic }) => topic === 'gone')) throw new TimeoutError('unknown topic')
    },
    close: () => Promise.resolve(),
  }
  await new MirrorStream(mirror, consumer as unknown as Consumer).run()
  expect(commits).toEqual(['gone 6,t 8', 't 8'])
})
