import { prekraft } from './generated'
import type { Recorded, RecordedEvent } from './events'

/** Larger than any event but a snapshot of 100,000 partitions; a length beyond it is not ours. */
export const MOST_EVENT_BYTES = 64 * 1024 * 1024

/** A snapshot's memory is cut here rather than refused. */
const MOST_TEXT = 16 * 1024 * 1024

/** One event, with its length in front (a varint), as it stands in the files and goes to the followers. */
export function encodeRecorded(recorded: Recorded): Buffer {
  const { kind, ...fields } = recorded.event
  const body: Record<string, unknown> = { ...fields }
  if (kind === 'stateTransition') body['replica'] ??= -1
  if (kind === 'snapshot') body['memory'] = recorded.event.kind === 'snapshot' ? recorded.event.memory.slice(0, MOST_TEXT) : ''
  const message = prekraft.Event.encode({
    sequence: recorded.sequence,
    wallUs: recorded.wallUs,
    monoMs: recorded.monoMs,
    process: recorded.process,
    [kind]: body,
  }).finish()
  return Buffer.concat([varint(message.length), message])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  while (value >= 0x80) {
    bytes.push((value & 0x7f) | 0x80)
    value >>>= 7
  }
  bytes.push(value)
  return Buffer.from(bytes)
}

function decodeMessage(bytes: Buffer): Recorded | undefined {
  const decoded = prekraft.Event.decode(bytes) as Record<string, unknown> & { body?: string }
  const { body } = decoded
  if (body === undefined) return undefined
  // Zero values sit on the prototype: copy them along.
  const fields: Record<string, unknown> = {}
  const source = decoded[body] as Record<string, unknown>
  for (const name in source) if (typeof source[name] !== 'function') fields[name] = source[name]
  return {
    sequence: decoded['sequence'] as number,
    wallUs: decoded['wallUs'] as number,
    monoMs: decoded['monoMs'] as number,
    process: decoded['process'] as string,
    event: { kind: body, ...fields } as unknown as RecordedEvent,
  }
}

/** Reads a stream of events in whatever pieces it comes. */
export class EventReader {
  private rest: Buffer = Buffer.alloc(0)

  /** The events that are complete now. Throws on bytes that are no recording. */
  push(chunk: Buffer): Recorded[] {
    const bytes = this.rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.rest, chunk])
    const events: Recorded[] = []
    let position = 0
    for (;;) {
      const length = readVarint(bytes, position)
      if (length === undefined || length.next + length.value > bytes.length) break
      if (length.value > MOST_EVENT_BYTES) throw new Error(`an event of ${length.value} bytes: not a recording`)
      const event = decodeMessage(bytes.subarray(length.next, length.next + length.value))
      // An event of a newer version, of a kind unknown here, is passed over.
      if (event !== undefined) events.push(event)
      position = length.next + length.value
    }
    this.rest = bytes.subarray(position)
    return events
  }
}

function readVarint(bytes: Buffer, position: number): { value: number; next: number } | undefined {
  let value = 0
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[position++]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return { value, next: position }
  }
  throw new Error('a length of more than five bytes: not a recording')
}
