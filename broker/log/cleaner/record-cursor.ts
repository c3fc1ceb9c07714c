import { invalid } from '../../../protocol/records/records-error'
import { readVarint, readVarlong } from '../../../protocol/records/varint'

/** Goes through the records of a batch of magic 2 and shows where their parts lie; makes no object per record. */
export class RecordCursor {
  bytes: Buffer
  at = 0
  end: number
  /** Where the record begins, with its length. */
  recordAt = 0
  /** Where its attributes are. */
  bodyAt = 0
  timestampDelta = 0
  /** What follows the timestamp. */
  restAt = 0
  offsetDelta = 0
  /** -1: no key. */
  keyAt = 0
  keyEnd = 0
  hasValue = false

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.end = bytes.length
  }

  /** Moves to the next record. Throws RecordsError or VarintError if there is none, or it is malformed. */
  next(): void {
    const all = this.bytes.length
    this.recordAt = this.at
    const size = readVarint(this)
    this.bodyAt = this.at
    if (size < 1 || size > all - this.at) throw invalid(`Invalid record size: ${size} bytes, where ${all - this.at} are left`)
    this.end = this.at + size
    this.at += 1
    this.timestampDelta = readVarlong(this)
    this.restAt = this.at
    this.offsetDelta = readVarint(this)
    const keyBytes = readVarint(this)
    this.keyAt = keyBytes < 0 ? -1 : this.at
    if (keyBytes > 0) this.at += keyBytes
    this.keyEnd = this.at
    if (this.at > this.end) throw invalid(`A key of ${keyBytes} bytes does not fit in its record`)
    const valueBytes = readVarint(this)
    if (valueBytes > this.end - this.at) throw invalid(`A value of ${valueBytes} bytes does not fit in its record`)
    this.hasValue = valueBytes >= 0
    this.at = this.end
    this.end = all
  }
}
