import { ErrorCode } from '../../../../protocol/errors'
import { ApiKey } from '../../../../protocol/messages/apis'
import {
  baseSequenceAt,
  isTransactionalAt,
  producerEpochAt,
  producerIdAt,
  recordCountAt,
} from '../../../../protocol/records/batch'
import { decodeRecords, iterateBatches } from '../../../../protocol/records/records'
import type { Loose, ScriptedBroker } from './scripted-broker'

/** What the leader of partition 0 of a topic stores: it takes sequences only in order, as Kafka's does. */
export class ScriptedLog {
  readonly values: string[] = []
  readonly batches: { epoch: number; sequence: number; count: number; transactional: boolean }[] = []
  private readonly next = new Map<string, number>()
  private readonly fates: (number | 'silence' | 'stored, silence' | 'hang up')[] = []

  constructor(broker: ScriptedBroker) {
    broker.on(ApiKey.produce, (body) => this.produce(body))
  }

  /** The next requests fare like this: an error code, or no answer. */
  then(...fates: (number | 'silence' | 'stored, silence' | 'hang up')[]): this {
    this.fates.push(...fates)
    return this
  }

  private produce(body: Loose): object | 'silence' | 'hang up' {
    const [topic] = body.topicData
    const [partition] = topic.partitionData
    const fate = this.fates.shift() ?? 0
    const answer = (errorCode: number, baseOffset: number): object => ({
      responses: [
        {
          name: topic.name,
          partitionResponses: [{ index: partition.index, errorCode, baseOffset, logAppendTimeMs: -1, logStartOffset: 0 }],
        },
      ],
    })
    if (fate === 'silence' || fate === 'hang up') return fate
    if (typeof fate === 'number' && fate !== 0) return answer(fate, -1)
    const baseOffset = this.values.length
    const code = this.store(partition.records)
    return fate === 'stored, silence' ? 'silence' : answer(code, code === 0 ? baseOffset : -1)
  }

  private store(records: Buffer): number {
    for (const batch of iterateBatches(records)) {
      const sequence = baseSequenceAt(batch, 0)
      const key = `${producerIdAt(batch, 0)}/${producerEpochAt(batch, 0)}`
      const expected = this.next.get(key)
      if (sequence >= 0 && expected !== undefined && sequence < expected) return ErrorCode.DUPLICATE_SEQUENCE_NUMBER
      if (sequence >= 0 && sequence !== (expected ?? 0)) return ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
      const count = recordCountAt(batch, 0)
      if (sequence >= 0) this.next.set(key, sequence + count)
      this.batches.push({ epoch: producerEpochAt(batch, 0), sequence, count, transactional: isTransactionalAt(batch, 0) })
      for (const { value } of decodeRecords(batch)) this.values.push(value!.toString())
    }
    return 0
  }
}
