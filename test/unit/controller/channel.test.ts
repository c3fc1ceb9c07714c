import fc from 'fast-check'
import { plainAssignment } from '../../../controller/assignment'
import { BrokerChannel } from '../../../controller/channel'
import type { ControlConnection } from '../../../controller/channel'
import { canMerge, mergeInto } from '../../../controller/control-entries'
import type { ControlBatch, LeaderAndIsrEntry, StopReplicaEntry } from '../../../controller/control-entries'
import { ControllerContext } from '../../../controller/context'
import type { Broker } from '../../../controller/context'
import { RequestBatch } from '../../../controller/request-batch'
import { latestMetadataVersion, metadataVersionRules } from '../../../protocol/rules/metadata-version'
import { noRecorder } from '../../../recording/events'
import { silentLogger } from '../../../runtime/log'
import { realClock } from '../../../runtime/real-clock'

const leadership = (leaderEpoch: number) => (
  { leader: 1, leaderEpoch, isr: [1], recoveryState: 0, partitionEpoch: 0, controllerEpoch: 1 }
) as const
const leads = (key: string, leaderEpoch: number, isNew = false, topicId = 'x'): [string, LeaderAndIsrEntry] =>
  [key, { topic: key, topicId, index: 0, leadership: leadership(leaderEpoch), assignment: plainAssignment([1]), isNew }]
const stops = (key: string, deletePartition = false, topicId = 'x'): [string, StopReplicaEntry] =>
  [key, { topic: key, topicId, index: 0, leaderEpoch: 0, deletePartition }]
const tells = (key: string, leaderEpoch: number, topicId = 'x'): [
  string, NonNullable<ReturnType<typeof metadata>>,
] => [key, metadata(key, leaderEpoch, topicId)]
const metadata = (key: string, leaderEpoch: number, topicId: string) =>
  ({ topic: key, topicId, index: 0, leadership: leadership(leaderEpoch), replicas: [1], offlineReplicas: [] })

function batch(parts: Partial<ControlBatch>, version = 1): ControlBatch {
  return {
    leaderAndIsr: new Map(), updateMetadata: undefined, stopReplica: new Map(), brokers: { version, brokers: [] }, ...parts,
  }
}

describe('merging what waits', () => {
  test('keeps the newest of each partition; new and delete stick', () => {
    const waiting = batch(
      { leaderAndIsr: new Map([leads('a', 1, true), leads('b', 1)]), stopReplica: new Map([stops('c', true)]) },
    )
    mergeInto(
      waiting, batch(
        {
          leaderAndIsr: new Map([leads('a', 2)]), updateMetadata: new Map([tells('a', 2)]), stopReplica: new Map([stops('c')]),
        }, 2,
      ),
    )
    expect(waiting.leaderAndIsr.get('a')).toMatchObject({ leadership: { leaderEpoch: 2 }, isNew: true })
    expect(waiting.leaderAndIsr.get('b')).toMatchObject({ leadership: { leaderEpoch: 1 }, isNew: false })
    expect(waiting.stopReplica.get('c')).toMatchObject({ deletePartition: true })
    expect(waiting.updateMetadata?.size).toBe(1)
    expect(waiting.brokers.version).toBe(2)
  })

  test('never lets a LeaderAndIsr overtake a StopReplica, or the announcement of a broker', () => {
    expect(
      canMerge(batch({ stopReplica: new Map([stops('a', true)]) }), batch({ leaderAndIsr: new Map([leads('a', 1)]) }), false),
    ).toBe(false)
    expect(
      canMerge(batch({ stopReplica: new Map([stops('a')]) }), batch({ leaderAndIsr: new Map([leads('b', 1)]) }), false),
    ).toBe(true)
    expect(
      canMerge(batch({ leaderAndIsr: new Map([leads('a', 1)]) }), batch({ stopReplica: new Map([stops('a')]) }), false),
    ).toBe(true)
    expect(canMerge(batch({ updateMetadata: new Map() }), batch({ leaderAndIsr: new Map([leads('a', 1)]) }), true)).toBe(false)
    expect(canMerge(batch({ updateMetadata: new Map() }), batch({ updateMetadata: new Map([tells('a', 1)]) }), true)).toBe(true)
  })

  test('keeps two topics of one name apart', () => {
    const old = batch({ updateMetadata: new Map([tells('a', 1, 'old')]) })
    expect(canMerge(old, batch({ updateMetadata: new Map([tells('a', 0, 'new')]) }), false)).toBe(false)
    expect(canMerge(old, batch({ leaderAndIsr: new Map([leads('a', 0, true, 'new')]) }), false)).toBe(false)
    expect(
      canMerge(
        batch(
          { leaderAndIsr: new Map([leads('a', 0, true, 'new')]) },
        ), batch({ stopReplica: new Map([stops('a', true, 'old')]) }), false,
      ),
    ).toBe(false)
  })
})

describe('a channel', () => {
  const broker: Broker = { id: 1, epoch: 7, rack: null, endpoints: [], features: {} }
  const sender = {
    controllerId: 0, controllerEpoch: 1, brokerEpoch: 7, level: metadataVersionRules(
      latestMetadataVersion,
    ), interBrokerListener: 'PLAINTEXT',
  }

  /** Answers each request after a while; `fails` says which attempts break off. */
  function channelTo(seen: string[], fails: (count: number) => boolean = () => false, mayAct = () => true, logger = silentLogger) {
    let count = 0
    let closed = 0
    const channel = new BrokerChannel({
      clock: realClock, broker, sender, mayAct, onReply: () => {}, requestTimeoutMs: 1000, retryMs: 1, logger,
      recorder: noRecorder,
      connect: (): ControlConnection => ({
        connect: async () => {},
        send: async <Request, Response>(apiKey: number, body: Request): Promise<Response> => {
          await new Promise((resolve) => setImmediate(resolve))
          if (fails(++count)) throw new Error('broken')
          seen.push(describe_(apiKey, body as never))
          return { errorCode: 0 } as Response
        },
        close: () => void closed++,
      }),
    })
    return { channel, closed: () => closed }
  }

  function describe_(
    apiKey: number, body: { topicStates?: { topicName: string; partitionStates: { leaderEpoch: number }[] }[] },
  ): string {
    const topics = (body.topicStates ?? []).map(
      ({ topicName, partitionStates }) => `${topicName}@${partitionStates.map((state) => state.leaderEpoch)}`,
    )
    return `${{ 4: 'LeaderAndIsr', 5: 'StopReplica', 6: 'UpdateMetadata' }[apiKey]} ${topics}`.trim()
  }

  const quiet = async (channel: BrokerChannel) => {
    while (channel.queueSize > 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }

  test('sends LeaderAndIsr, UpdateMetadata, StopReplica, and merges what waits meanwhile', async () => {
    const seen: string[] = []
    const { channel } = channelTo(seen)
    channel.enqueue(batch({ updateMetadata: new Map() }))
    for (let epoch = 1; epoch <= 50; epoch++) {
      channel.enqueue(batch({ leaderAndIsr: new Map([leads('a', epoch)]), updateMetadata: new Map([tells('a', epoch)]) }))
    }
    channel.enqueue(batch({ stopReplica: new Map([stops('a', true)]) }))
    expect(channel.queueSize).toBe(2)
    expect(channel.oldestAgeMs).toBeGreaterThanOrEqual(0)
    await quiet(channel)
    expect(seen).toEqual(['UpdateMetadata', 'LeaderAndIsr a@50', 'UpdateMetadata a@50', 'StopReplica a@0'])
    expect(channel.oldestAgeMs).toBe(0)
  })

  test('announces brokers before a LeaderAndIsr, also behind a StopReplica of the same moment', async () => {
    const seen: string[] = []
    const { channel } = channelTo(seen)
    channel.enqueue(batch({ stopReplica: new Map([stops('gone', true)]) }, 5))
    channel.enqueue(batch({ updateMetadata: new Map([tells('a', 1)]) }, 5))
    channel.enqueue(batch({ leaderAndIsr: new Map([leads('a', 1)]), updateMetadata: new Map([tells('a', 1)]) }, 5))
    while (channel.queueSize > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(seen.map((each) => each.split(' ')[0])).toEqual(['StopReplica', 'UpdateMetadata', 'LeaderAndIsr', 'UpdateMetadata'])
  })

  test('tries for ever, from where it broke off', async () => {
    const seen: string[] = []
    const { channel, closed } = channelTo(seen, (count) => count === 2 || count === 3)
    channel.enqueue(
      batch(
        { leaderAndIsr: new Map([leads('a', 1)]), updateMetadata: new Map([tells('a', 1)]), stopReplica: new Map([stops('b')]) },
      ),
    )
    await quiet(channel)
    expect(seen).toEqual(['LeaderAndIsr a@1', 'UpdateMetadata a@1', 'StopReplica b@0'])
    expect(closed()).toBe(1)
  })

  test('sends nothing while this controller may not act', async () => {
    const seen: string[] = []
    let allowed = false
    const { channel } = channelTo(seen, () => false, () => allowed)
    channel.enqueue(batch({ updateMetadata: new Map() }))
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(seen).toEqual([])
    allowed = true
    await quiet(channel)
    expect(seen).toEqual(['UpdateMetadata'])
  })

  test('warns of what fails, but not of what was in flight when it was closed', async () => {
    const warnings: string[] = []
    const logger = { ...silentLogger, warn: (_: object, message: string) => void warnings.push(message) }
    const { channel } = channelTo([], () => true, () => true, logger)
    channel.enqueue(batch({ leaderAndIsr: new Map([leads('a', 1)]) }))
    await new Promise((resolve) => process.nextTick(resolve))
    channel.close()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(warnings).toEqual([])
    const other = channelTo([], (count) => count === 1, () => true, logger).channel
    other.enqueue(batch({ leaderAndIsr: new Map([leads('a', 1)]) }))
    await quiet(other)
    expect(warnings).toHaveLength(1)
  })

  test('forgets what waits when it is closed', async () => {
    const seen: string[] = []
    const { channel } = channelTo(seen, () => true)
    channel.enqueue(batch({ updateMetadata: new Map() }))
    channel.enqueue(batch({ leaderAndIsr: new Map([leads('a', 1)]) }))
    channel.close()
    await quiet(channel)
    expect(seen).toEqual([])
  })

  test('whatever the changes and the pace, the last word on each partition is the newest', async () => {
    await fc.assert(fc.asyncProperty(fc.array(
      fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean(), fc.boolean()), { maxLength: 30 },
    ), async (steps) => {
      const seen: string[] = []
      const { channel } = channelTo(seen, (count) => count % 5 === 0)
      const last = new Map<string, string>()
      let epoch = 0
      for (const [topic, isStop, pauses] of steps) {
        epoch++
        if (isStop) channel.enqueue(batch({ stopReplica: new Map([stops(topic)]) }))
        else channel.enqueue(batch({ leaderAndIsr: new Map([leads(topic, epoch)]) }))
        last.set(topic, isStop ? `StopReplica ${topic}` : `LeaderAndIsr ${topic}@${epoch}`)
        if (pauses) await new Promise((resolve) => setImmediate(resolve))
      }
      await quiet(channel)
      for (const [topic, word] of last) {
        const heard = seen.filter((line) => line.includes(`${topic}@`)).at(-1)!
        expect(heard.includes(word) || heard.startsWith(word.split(' ')[0]!)).toBe(true)
        if (word.startsWith('LeaderAndIsr')) expect(heard).toContain(word.split(' ')[1]!)
      }
      channel.close()
    }), { numRuns: 30 })
  })
})

test('a batch tells only registered brokers, and everybody who leads', () => {
  const context = new ControllerContext()
  for (const id of [1, 2, 3]) context.putBroker({ id, epoch: id, rack: null, endpoints: [], features: {} })
  const topic = context.addTopic('t', 'id', 1, 0)
  const partition = context.addPartition(topic, 0, plainAssignment([1, 2, 9]))
  const batch_ = new RequestBatch(context)
  batch_.addLeaderAndIsr([1, 2, 9], partition, true)
  expect(batch_.isEmpty).toBe(true)
  partition.leadership = leadership(3)
  context.setOffline(2, partition, true)
  batch_.addLeaderAndIsr([1, 2, 9], partition, true)
  batch_.addLeaderAndIsr([1], partition, false)
  batch_.addStopReplica([3, 9], partition, false)
  const parts = batch_.take()
  expect([...parts.keys()]).toEqual([1, 2, 3])
  expect(parts.get(1)!.leaderAndIsr.get('t:0')).toMatchObject({ isNew: true })
  expect(parts.get(3)!.stopReplica.get('t:0')).toMatchObject({ leaderEpoch: 3 })
  expect(parts.get(3)!.updateMetadata!.get('t:0')).toMatchObject({ offlineReplicas: [2, 9] })
  topic.deletion = 'started'
  const last = new RequestBatch(context)
  last.addUpdateMetadata([1], [partition])
  last.addStopReplica([1], partition, true)
  expect(last.take().get(1)!.updateMetadata!.get('t:0')!.leadership).toMatchObject({ leader: -2, leaderEpoch: 0 })
  expect(last.take().get(1)!.stopReplica.get('t:0')).toMatchObject({ leaderEpoch: -2, deletePartition: true })
  context.addOwedDeletion(1, 't')
  const owing = new RequestBatch(context)
  owing.addLeaderAndIsr([1, 2], partition, false)
  expect(owing.take().get(1)!.leaderAndIsr.size).toBe(0)
})
