import { ProducerIdManager } from '../../../../broker/transaction/producer-id-manager'
import { silentLogger } from '../../../../runtime/log'
import { RunningCluster } from '../support/running-broker'
import { VirtualClock } from './support/virtual-clock'
import { ApiKey } from '../../../../protocol/messages/apis'
import type { ProducerIdBlock } from '../../../../broker/transaction/producer-id-manager'

class Blocks {
  readonly clock = new VirtualClock()
  readonly waiting: { give(): void; refuse(): void }[] = []
  private start = 0
  readonly manager: ProducerIdManager

  constructor(length: number) {
    this.manager = new ProducerIdManager({
      clock: this.clock,
      logger: silentLogger,
      allocate: () =>
        new Promise<ProducerIdBlock>((resolve, reject) => {
          this.waiting.push({
            give: () => {
              resolve({ start: this.start, length })
              this.start += length
            },
            refuse: () => reject(new Error('refused')),
          })
        }),
    })
  }

  async give(): Promise<void> {
    this.waiting.shift()!.give()
    await this.clock.settle()
  }
}

test('asks for the next block when nine tenths are used', async () => {
  const blocks = new Blocks(10)
  const first = blocks.manager.next()
  await blocks.give()
  expect(await first).toBe(0)
  for (let id = 1; id < 8; id++) expect(await blocks.manager.next()).toBe(id)
  expect(blocks.waiting).toHaveLength(0)
  expect(await blocks.manager.next()).toBe(8)
  expect(blocks.waiting).toHaveLength(1)
  expect(await blocks.manager.next()).toBe(9)
  const late = blocks.manager.next()
  await blocks.give()
  expect(await late).toBe(10)
})

test('gives no id twice to many who wait', async () => {
  const blocks = new Blocks(10)
  const asked = Promise.all([...Array(25).keys()].map(() => blocks.manager.next()))
  for (let i = 0; i < 3; i++) await blocks.give()
  expect(await asked).toEqual([...Array(25).keys()])
})

test('a refusal is passed on; it is asked again after a while', async () => {
  const blocks = new Blocks(10)
  const first = blocks.manager.next()
  blocks.waiting.shift()!.refuse()
  expect(await first).toBeUndefined()
  const second = blocks.manager.next()
  expect(blocks.waiting).toHaveLength(0)
  await blocks.clock.advance(50)
  await blocks.give()
  expect(await second).toBe(0)
})

test('who waits at the end gets none', async () => {
  const blocks = new Blocks(10)
  const first = blocks.manager.next()
  blocks.manager.close()
  expect(await first).toBeUndefined()
  expect(await blocks.manager.next()).toBeUndefined()
})

test('below IBP 3.0 brokers take blocks from ZooKeeper themselves', async () => {
  const cluster = await RunningCluster.start(2, { 'inter.broker.protocol.version': '2.8' })
  try {
    const ids = await Promise.all(
      cluster.brokers.map(async (broker) => {
        const connection = await cluster.connect(broker.portOf('PLAINTEXT'))
        const { errorCode, producerId } = await connection.send<object, { errorCode: number; producerId: number }>(ApiKey.initProducerId, {
          transactionalId: null, transactionTimeoutMs: 1000,
        })
        expect(errorCode).toBe(0)
        return producerId
      }),
    )
    expect(ids.sort((a, b) => a - b)).toEqual([0, 1000])
  } finally {
    await cluster.close()
  }
}, 30_000)
