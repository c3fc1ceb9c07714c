import { compileRead, compileWrite } from './compile'
import { DecodeError, Reader, longestStringBytes } from './reader'
import { inVersions } from './schema'
import { EncodeError, Writer } from './writer'
import type { ReadFunction, WriteFunction } from './compile'
import type { Input, Message } from './schema'

export { DecodeError } from './reader'
export { EncodeError } from './writer'
export type { Input, Message } from './schema'

interface Compiled {
  read: ReadFunction | undefined
  write: WriteFunction | undefined
  /** Bytes of the last one that was written, if it was long. */
  lastLength: number
}

/** Heap that decoding may spend: sixteen times the wire and a little, at most `maxObjectBytes` (reliability: hostile input). */
const budgetPerByte = 16
const budgetBase = 64 * 1024
export const defaultMaxObjectBytes = 64 * 1024 * 1024

const longLength = 32 * 1024
const writer = new Writer()

function compiledOf(message: Message<unknown>, version: number): Compiled | undefined {
  if (!Number.isInteger(version) || !inVersions(version, message.versions)) return undefined
  return (message.compiled[version] ??= { read: undefined, write: undefined, lastLength: 0 }) as Compiled
}

/**
 * Reads one message from `offset` on. Bytes behind it are ignored, as Kafka does: a newer sender may know more than we.
 * Decoded records alias the input; all else, other bytes too, is a copy. Throws DecodeError, and nothing else, whatever the
 * bytes are. `longestName`: see `longestNameBytes`.
 */
export function decode<T>(
  message: Message<T>,
  version: number,
  buffer: Buffer,
  offset = 0,
  maxObjectBytes = defaultMaxObjectBytes,
  longestName = longestStringBytes,
): T {
  const compiled = compiledOf(message, version)
  if (!compiled) throw new DecodeError(`${message.name} has no version ${version}`)
  const read = (compiled.read ??= compileRead(message, version))
  const budget = Math.min(maxObjectBytes, budgetBase + budgetPerByte * buffer.length)
  try {
    return read(new Reader(buffer, offset, budget, longestName)) as T
  } catch (error) {
    if (error instanceof DecodeError) throw new DecodeError(`${message.name} v${version}: ${error.message}`)
    if (error instanceof RangeError) throw new DecodeError(`${message.name} v${version}: truncated`)
    throw error
  }
}

/** Appends a message to what the writer holds. */
export function writeMessage<T>(target: Writer, message: Message<T>, version: number, value: Input<T>): void {
  const compiled = compiledOf(message, version)
  if (!compiled) throw new EncodeError(`${message.name} has no version ${version}`)
  const write = (compiled.write ??= compileWrite(message, version))
  const start = target.position
  target.expect(compiled.lastLength)
  try {
    write(target, value)
    const length = target.position - start
    compiled.lastLength = length < longLength ? 0 : length + (length >> 4)
  } catch (error) {
    if (error instanceof EncodeError) throw new EncodeError(`${message.name} v${version}: ${error.message}`)
    throw error
  }
}

/**
 * The bytes of a message. Fields that are missing get their defaults. Throws EncodeError for a version that the message lacks,
 * for values out of range, for null where the version forbids it, and for a value in a field that the version lacks and that
 * is not ignorable (Kafka's UnsupportedVersionException).
 */
export function encode<T>(message: Message<T>, version: number, value: Input<T>): Buffer {
  writer.start(false)
  writeMessage(writer, message, version, value)
  return writer.take()
}

/** As `encode`, but in parts: bytes of 1 KiB and more are not copied, so they must not change until they were sent. */
export function encodeParts<T>(message: Message<T>, version: number, value: Input<T>, prefix?: Uint8Array): Uint8Array[] {
  writer.start(true)
  if (prefix) writer.raw(prefix)
  writeMessage(writer, message, version, value)
  return writer.takeParts()
}

/** The one writer of the process. Encoding never awaits: whoever starts it must finish with `take` before anything else runs. */
export function sharedWriter(byReference: boolean): Writer {
  writer.start(byReference)
  return writer
}
