import type { ConsumerRecord } from '../fetched'
import type { OffsetToCommit } from '../group/committed'

/** Sees what a consumer hands out and commits (KIP-42). What it throws is passed over. */
export interface ConsumerInterceptor {
  /** May change or leave out records before the program gets them. */
  onConsume?(records: ConsumerRecord[]): ConsumerRecord[]
  /** After a commit that succeeded. */
  onCommit?(offsets: readonly OffsetToCommit[]): void
  close?(): void
}

export class ConsumerInterceptors {
  private readonly list: readonly ConsumerInterceptor[]

  constructor(list: readonly ConsumerInterceptor[]) {
    this.list = list
  }

  onConsume(records: ConsumerRecord[]): ConsumerRecord[] {
    let result = records
    for (const each of this.list) {
      const before = result
      attempt(() => {
        result = each.onConsume?.(before) ?? before
      })
    }
    return result
  }

  onCommit(offsets: readonly OffsetToCommit[]): void {
    for (const each of this.list) attempt(() => each.onCommit?.(offsets))
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
    // As Kafka's ConsumerInterceptors, which log and go on.
  }
}
