import type { ProducerRecord } from '../producer'
import type { RecordMetadata } from '../accumulator'

/** Sees what a producer sends and what became of it (KIP-42). What it throws is passed over. */
export interface ProducerInterceptor {
  /** May change the record before it gets its partition. */
  onSend?(record: ProducerRecord): ProducerRecord
  /** Exactly once per record: one of the two is undefined. */
  onAcknowledgement?(metadata: RecordMetadata | undefined, error: Error | undefined, record: ProducerRecord): void
  close?(): void
}

export class ProducerInterceptors {
  private readonly list: readonly ProducerInterceptor[]

  constructor(list: readonly ProducerInterceptor[]) {
    this.list = list
  }

  get isEmpty(): boolean {
    return this.list.length === 0
  }

  onSend(record: ProducerRecord): ProducerRecord {
    let result = record
    for (const each of this.list) {
      const before = result
      attempt(() => {
        result = each.onSend?.(before) ?? before
      })
    }
    return result
  }

  onAcknowledgement(metadata: RecordMetadata | undefined, error: Error | undefined, record: ProducerRecord): void {
    for (const each of this.list) attempt(() => each.onAcknowledgement?.(metadata, error, record))
  }

  close(): void {
    for (const each of this.list) attempt(() => each.close?.())
  }
}

/** An interceptor is an onlooker: its errors are not the program's. */
function attempt(call: () => void): void {
  try {
    call()
  } catch {
    // As Kafka's ProducerInterceptors, which log and go on.
  }
}
