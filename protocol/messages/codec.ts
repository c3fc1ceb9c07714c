import { compileRead, compileWrite } from './compile'
import { DecodeError, Reader } from './reader'
import { inVersions } from './schema'
import { EncodeError, Writer } from './writer'
import type { ReadFunction, WriteFunction } from './compile'
import type { Input, Message } from './schema'

export { DecodeError } from './reader'
export { EncodeError } from './writer'
export type { Input, Message } from './schema'

interface Compiled {
  read?: ReadFunction
  write?: WriteFunction
}

/** Heap that decoding may spend: sixteen times the wire and a little, at most `maxObjectBytes` (reliability: hostile input). */
const budgetPerByte = 16
const budgetBase = 64 * 1024
export const defaultMaxObjectBytes = 64 * 1024 * 1024

const writer = new Writer()

function compiledOf(message: Message<unknown>, version: number): Compiled {
  return (message.compiled[version] ??= {}) as Compiled
}

function readFunction(message: Message<unknown>, version: number): ReadFunction {
  const compiled = compiledOf(message, version)
  if (compiled.read) return compiled.read
  if (!Number.isInteger(version) || !inVersions(version, message.versions)) {
    throw new DecodeError(`${message.name} has no version ${version}`)
  }
  return compiled.read = compileRead(message, version)
}

function writeFunction(message: Message<unknown>, version: number): WriteFunction {
  const compiled = compiledOf(message, version)
  if (compiled.write) return compiled.write
  if (!Number.isInteger(version) || !inVersions(version, message.versions)) {
    throw new EncodeError(`${message.name} has no version ${version}`)
  }
  return compiled.write = compileWrite(message, version)
}

/**
 * Reads one message from `offset` on. Bytes behind it are ignored, as Kafka does: a newer sender may know more than we.
 * Decoded Buffers alias the input. Throws DecodeError, and nothing else, whatever the bytes are.
 */
export function decode<T>(
  message: Message<T>, version: number, buffer: Buffer, offset = 0, maxObjectBytes = defaultMaxObjectBytes,
): T {
  const read = readFunction(message, version)
  const budget = Math.min(maxObjectBytes, budgetBase + budgetPerByte * buffer.length)
  try {
    return read(new Reader(buffer, offset, budget)) as T
  } catch (error) {
    if (error instanceof DecodeError) throw new DecodeError(`${message.name} v${version}: ${error.message}`)
    if (error instanceof RangeError) throw new DecodeError(`${message.name} v${version}: truncated`)
    throw error
  }
}

/** Appends a message to what the writer holds. */
export function writeMessage<T>(target: Writer, message: Message<T>, version: number, value: Input<T>): void {
  const write = writeFunction(message, version)
  try {
    write(target, value)
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

/** The one writer of the process. Encoding never awaits, so whoever takes it must finish with `take` before anything else runs. */
export function sharedWriter(byReference: boolean): Writer {
  writer.start(byReference)
  return writer
}
