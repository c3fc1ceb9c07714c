import { ApiKey } from '../../protocol/messages/apis'
import { decodeProducerIdBlock, producerIdBlockPath } from '../../zk-schema/cluster'
import { until } from './mixed-cluster'
import type { Run } from './mixed-run'
import type { KafkaConnection } from '../../network/kafka-connection'
import type { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/init-producer-id'

/** More than the thousand of one block: the controller has to give each broker another one. */
const IDS = 1100
const AT_ONCE = 50
/** While the next block is not there yet. */
const COORDINATOR_LOAD_IN_PROGRESS = 14

/** Every broker gives more producer ids than one block has, all at once; none is given twice, and ZooKeeper knows of all. */
export async function producerIds(run: Run): Promise<void> {
  const { cluster } = run
  const seen = new Map<number, number>()
  const twice: string[] = []
  await Promise.all(
    cluster.running.map(async (id) => {
      const connection = await cluster.connect(id, 'producer-ids', 30_000)
      try {
        let count = 0
        await until(`broker ${id} has given ${IDS} producer ids`, 30_000, async () => {
          while (count < IDS) {
            const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => ask(connection)))
            for (const { errorCode, producerId } of answers) {
              if (errorCode === COORDINATOR_LOAD_IN_PROGRESS) continue
              if (errorCode !== 0) throw new Error(`error ${errorCode}`)
              if (seen.has(producerId)) twice.push(`${producerId} by ${seen.get(producerId)} and ${id}`)
              seen.set(producerId, id)
              count++
            }
            if (answers.some(({ errorCode }) => errorCode !== 0)) return `${count} so far`
          }
          return true
        })
      } finally {
        connection.close()
      }
    }),
  )
  if (twice.length > 0) throw new Error(`given twice: ${twice.slice(0, 5).join()}`)
  const node = await cluster.zookeeper((session) => session.get(producerIdBlockPath))
  const { lastProducerId } = decodeProducerIdBlock(node!.data)!
  const highest = Math.max(...seen.keys())
  if (highest > lastProducerId) throw new Error(`${highest} was given, ZooKeeper knows of ids up to ${lastProducerId}`)
}

async function ask(connection: KafkaConnection): Promise<InitProducerIdResponse> {
  return await connection.send<InitProducerIdRequest, InitProducerIdResponse>(ApiKey.initProducerId, {
    transactionalId: null,
    transactionTimeoutMs: 60_000,
    producerId: -1,
    producerEpoch: -1,
  })
}
