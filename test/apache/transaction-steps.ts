import { Admin, Consumer } from '../../index'
import { ApiKey } from '../../protocol/messages/apis'
import { BatchBuilder } from '../../protocol/records/records'
import { TRANSACTION, coordinatorOf } from './coordinated'
import { moveCoordinators } from './coordinator-steps'
import { pause, until } from './mixed-cluster'
import type { Kind } from './mixed-cluster'
import type { Run } from './mixed-run'
import type { AddPartitionsToTxnRequest, AddPartitionsToTxnResponse } from '../../protocol/messages/add-partitions-to-txn'
import type { EndTxnRequest, EndTxnResponse } from '../../protocol/messages/end-txn'
import type { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/init-producer-id'
import type { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/list-offsets'
import type { ProduceRequest, ProduceResponse } from '../../protocol/messages/produce'

/** What Produce 11 is answered; older ones INVALID_TXN_STATE. */
const TRANSACTION_ABORTABLE = 120

const COPIER = 'org.apache.kafka.tools.TransactionalMessageCopier'

/** Apache's own copier, with random aborts, while its coordinators move: it writes what it committed of the input. */
export async function copierStep(run: Run, name: string, input: string, kinds: readonly Kind[]): Promise<void> {
  const { cluster } = run
  await run.step(name, async () => {
    const output = `${input}-copied`
    const group = `copier-${input}`
    const { topics } = await cluster.metadata(cluster.running[0]!, [input])
    const { partitions } = topics[0]!
    const replicas = [...partitions].sort((a, b) => a.partitionIndex - b.partitionIndex).map(({ replicaNodes }) => replicaNodes)
    await run.createTopic(output, replicas, { 'min.insync.replicas': '2' })
    await run.agreed()
    const args = {
      'broker-list': cluster.bootstrapServers,
      'input-topic': input,
      'input-partition': '0',
      'output-topic': output,
      'consumer-group': group,
      'transactional-id': group,
      'transaction-size': '100',
    }
    let isOver = false
    const copier = cluster
      .toolBeside(COPIER, [
        ...Object.entries(args).flatMap(([key, value]) => [`--${key}`, value]),
        ...['--enable-random-aborts', '--group-mode', '--use-group-metadata'],
      ])
      .finally(() => (isOver = true))
    for (let i = 0; !isOver; i++) {
      await moveCoordinators(run, kinds[i % kinds.length]!)
      // It shall find its coordinators at rest, too: a transaction that was aborted is begun again from where the last one ended.
      await pause(2000)
    }
    const said = await copier
    if (!said.includes('ShutdownComplete') || /unexpected error/i.test(said)) throw new Error(said.slice(-600))
    const admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
    const committed = await admin.listConsumerGroupOffsets(group).finally(() => admin.close())
    const [original, copy] = await Promise.all([readCommitted(run, input), readCommitted(run, output)])
    let total = 0
    for (const { partitionIndex } of partitions) {
      const end = [...committed.values()].find(({ partition }) => partition === partitionIndex)?.offset ?? 0
      const wanted = (original.get(partitionIndex) ?? []).filter(({ offset }) => offset < end).map(({ value }) => value)
      const found = (copy.get(partitionIndex) ?? []).map(({ value }) => value)
      if (wanted.join() !== found.join())
        throw new Error(
          `${output}-${partitionIndex}: ${found.length} copies, ${wanted.length} records of the input before ${end}`,
        )
      total += found.length
    }
    if (total === 0) throw new Error('nothing was copied')
  })
}

export async function readCommitted(
  run: Run,
  topic: string,
): Promise<Map<number, { offset: number; key: string; value: string }[]>> {
  const { topics } = await run.cluster.metadata(run.cluster.running[0]!, [topic])
  const assignment = topics[0]!.partitions.map(({ partitionIndex }) => ({ topic, partition: partitionIndex }))
  const consumer = new Consumer({
    'bootstrap.servers': run.cluster.bootstrapServers,
    'auto.offset.reset': 'earliest',
    'isolation.level': 'read_committed',
  })
  try {
    consumer.assign(assignment)
    const ends = await consumer.endOffsets(assignment)
    const content = new Map<number, { offset: number; key: string; value: string }[]>()
    for (const each of assignment) {
      while ((await consumer.position(each)) < ends.get(`${topic}-${each.partition}`)!) {
        for (const { partition, offset, key, value } of await consumer.poll(500)) {
          const records = content.get(partition) ?? []
          content.set(partition, records)
          records.push({ offset, key: String(key), value: String(value) })
        }
      }
    }
    return content
  } finally {
    await consumer.close()
  }
}

/** Every broker as leader asks coordinators of both kinds whether a transaction has its partition (KIP-890), and gets markers. */
export async function verificationStep(run: Run, name: string): Promise<void> {
  const { cluster } = run
  const topic = `verified-${name.replace(/\W+/g, '-')}`
  await run.step(name, async () => {
    const ids = cluster.brokerIds
    await run.createTopic(
      topic,
      ids.map((id) => [id, ...ids.filter((other) => other !== id)]),
    )
    await run.agreed()
    for (const kind of ['apache', 'prekraft'] as const) {
      await moveCoordinators(run, kind)
      for (const [partition, leader] of ids.entries()) {
        const transactionalId = `${topic}-${kind}-${leader}`
        const coordinator = await coordinatorOf(run, TRANSACTION, transactionalId)
        const { errorCode, producerId, producerEpoch } = await untilReady(() =>
          cluster.ask<InitProducerIdRequest, InitProducerIdResponse>(coordinator, ApiKey.initProducerId, {
            transactionalId,
            transactionTimeoutMs: 30_000,
            producerId: -1,
            producerEpoch: -1,
          }),
        )
        if (errorCode !== 0) throw new Error(`InitProducerId at ${coordinator}: ${errorCode}`)
        const produce = async (sequence: number): Promise<number> => {
          const batch = new BatchBuilder({ producerId, producerEpoch, baseSequence: sequence, transactional: true })
          batch.append(null, Buffer.from(`${sequence}`), [], Date.now())
          const answer = await cluster.ask<ProduceRequest, ProduceResponse>(
            leader,
            ApiKey.produce,
            {
              transactionalId,
              acks: -1,
              timeoutMs: 10_000,
              topicData: [{ name: topic, partitionData: [{ index: partition, records: batch.build() }] }],
            },
            11,
          )
          return answer.responses[0]!.partitionResponses[0]!.errorCode
        }
        const whose = `leader ${leader}, coordinator ${coordinator} (${kind})`
        const expect = (what: string, got: number, wanted: number): void => {
          if (got !== wanted) throw new Error(`${whose}: ${what}: error ${got}, not ${wanted}`)
        }
        expect('produce without a transaction', await produce(0), TRANSACTION_ABORTABLE)
        const added = await untilReady(async () => {
          const answer = await cluster.ask<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>(
            coordinator,
            ApiKey.addPartitionsToTxn,
            {
              v3AndBelowTransactionalId: transactionalId,
              v3AndBelowProducerId: producerId,
              v3AndBelowProducerEpoch: producerEpoch,
              v3AndBelowTopics: [{ name: topic, partitions: [partition] }],
            },
            3,
          )
          return { errorCode: answer.resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode }
        })
        expect('AddPartitionsToTxn', added.errorCode, 0)
        expect('produce', await produce(0), 0)
        expect('produce more', await produce(1), 0)
        const { errorCode: ended } = await cluster.ask<EndTxnRequest, EndTxnResponse>(coordinator, ApiKey.endTxn, {
          transactionalId,
          producerId,
          producerEpoch,
          committed: true,
        })
        expect('EndTxn', ended, 0)
        await until(`${whose}: the transaction is stable`, 10_000, async () => {
          const [stable, high] = await Promise.all([1, 0].map((isolation) => endOf(run, leader, topic, partition, isolation)))
          return stable === high ? true : `stable to ${stable} of ${high}`
        })
        // NOT_ENOUGH_REPLICAS while the coordinator still writes that the markers are there.
        const { errorCode: after } = await untilReady(async () => ({ errorCode: await produce(2) }))
        expect('produce after the end', after, TRANSACTION_ABORTABLE)
      }
    }
  })
}

/** Again while the coordinator loads, or writes what came before. */
async function untilReady<T extends { errorCode: number }>(ask: () => Promise<T>): Promise<T> {
  let answer: T | undefined
  await until('the coordinator is ready', 10_000, async () => ![14, 15, 16, 19, 51].includes((answer = await ask()).errorCode))
  return answer!
}

/** Where the leader says that the partition ends: for everybody (0), or for read_committed (1). */
export async function endOf(run: Run, leader: number, name: string, partition: number, isolationLevel: number): Promise<number> {
  const answer = await run.cluster.ask<ListOffsetsRequest, ListOffsetsResponse>(leader, ApiKey.listOffsets, {
    replicaId: -1,
    isolationLevel,
    topics: [{ name, partitions: [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp: -1 }] }],
  })
  return answer.topics[0]!.partitions[0]!.offset
}
