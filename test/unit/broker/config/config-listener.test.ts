import { ConfigListener } from '../../../../broker/config/config-listener'
import { KafkaConfig } from '../../../../broker/config/kafka-config'
import { TopicConfigStore } from '../../../../broker/config/topic-config-store'
import { parseBrokerConfig } from '../../../../protocol/rules/config-definition'
import { silentLogger } from '../../../../runtime/log'

/** ZooKeeper's answers to reads of all topics wait until they are let go; those of one topic come at once. */
function setUp(znodes: Record<string, object | string>) {
  const config = new KafkaConfig(parseBrokerConfig({ 'zookeeper.connect': 'localhost:2181' }).values)
  const errors: object[] = []
  const logger = { ...silentLogger, error: (fields: object) => void errors.push(fields), warn: (fields: object) => void errors.push(fields) }
  const store = new TopicConfigStore(config, logger)
  let release: (() => void) | undefined
  const read = (path: string) => {
    const data = znodes[path.split('/').at(-1)!]
    if (data === undefined) return undefined
    return { data: Buffer.from(typeof data === 'string' ? data : JSON.stringify({ version: 1, config: data })), stat: {} }
  }
  let isSlow = false
  const session = {
    children: async () => ({ names: Object.keys(znodes) }),
    getMany: async (paths: string[]) => {
      const answers = paths.map(read)
      if (isSlow && paths.some((path) => path.startsWith('/config/topics'))) {
        isSlow = false
        await new Promise<void>((resolve) => (release = resolve))
      }
      return answers
    },
  }
  const keeper = { current: session, onNewSession() {} }
  const dynamic = { take() {} }
  const clock = { timer: () => ({ cancel() {} }), wallMs: () => 0, monoMs: () => 0 }
  const clients = { load: async () => {}, refresh: async () => {} }
  const listener = new ConfigListener({ keeper, store, dynamic, clients, brokerId: 0, clock, logger } as never)
  /** Begins to read everything, and stops where the answers are on their way. */
  const loadSlowly = async () => {
    isSlow = true
    const loaded = listener.load()
    while (release === undefined) await Promise.resolve()
    return async () => {
      release!()
      await loaded
    }
  }
  return { listener, store, errors, znodes, loadSlowly }
}

test('a topic that comes, or changes, while everything is read again keeps what was read of it last', async () => {
  const { listener, store, znodes, loadSlowly } = setUp({ a: { 'cleanup.policy': 'delete' }, gone: { 'retention.ms': '5' } })
  const finish = await loadSlowly()
  znodes['a'] = { 'cleanup.policy': 'compact' }
  znodes['new'] = { 'cleanup.policy': 'compact' }
  delete znodes['gone']
  await listener.refresh(['a', 'new'])
  await finish()
  expect([store.of('a').cleanupPolicy, store.of('new').cleanupPolicy]).toEqual([['compact'], ['compact']])
  await listener.load()
  expect([store.has('a'), store.has('gone')]).toEqual([true, false])
})

test('a value that makes no sense does not take the others of its topic with it at the start; later the previous ones stay', async () => {
  const { listener, store, errors, znodes } = setUp({ a: { 'cleanup.policy': 'compact', 'segment.bytes': 'many' } })
  await listener.load()
  expect(store.of('a').cleanupPolicy).toEqual(['compact'])
  expect(errors).toHaveLength(1)
  znodes['a'] = { 'cleanup.policy': 'delete', 'segment.bytes': '-1' }
  await listener.refresh(['a'])
  expect(store.of('a').cleanupPolicy).toEqual(['compact'])
})
