import { apiByKey, requestHeaderVersion, responseHeaderVersion, supportsVersion } from './apis'
import { decode, defaultMaxObjectBytes, sharedWriter, writeMessage } from './codec'
import { DecodeError, Reader, longestNameBytes } from './reader'
import type { Api } from './apis'
import type { Input } from './schema'
import type { Writer } from './writer'

/** What stands in front of every request's body. A null client id reads as '', as Kafka's broker does. */
export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string
  /** Where the body begins in the frame. */
  readonly bodyOffset: number
}

/** Requests among brokers may be large: UpdateMetadata names every partition of the cluster (some 300 bytes of heap each). */
const clusterObjectBytes = 256 * 1024 * 1024
/** What a server sends is trusted more than what a client sends, and Metadata of a large cluster is large. */
const responseObjectBytes = 1024 * 1024 * 1024

function begin(): Writer {
  const writer = sharedWriter(true)
  writer.int32(0)
  return writer
}

function end(writer: Writer): Uint8Array[] {
  writer.setInt32(0, writer.length - 4)
  return writer.takeParts()
}

/** A request with its size and header, in parts as they go to the socket. Throws EncodeError like `encode`. */
export function encodeRequestFrame<Req, Res>(
  api: Api<Req, Res>,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: Input<Req>,
): Uint8Array[] {
  const writer = begin()
  const header = requestHeaderVersion(api, version)
  writer.int16(api.key)
  writer.int16(version)
  writer.int32(correlationId)
  // The client id keeps its two-byte length in header version 2, so that a broker can read the header of any version.
  if (header >= 1) writer.nullableString(clientId)
  if (header >= 2) writer.uvarint(0)
  writeMessage(writer, api.request, version, body)
  return end(writer)
}

/** A response with its size and header, in parts as they go to the socket. Throws EncodeError like `encode`. */
export function encodeResponseFrame<Req, Res>(
  api: Api<Req, Res>,
  version: number,
  correlationId: number,
  body: Input<Res>,
): Uint8Array[] {
  const writer = begin()
  writer.int32(correlationId)
  if (responseHeaderVersion(api, version) >= 1) writer.uvarint(0)
  writeMessage(writer, api.response, version, body)
  return end(writer)
}

/**
 * Reads the header of a frame (without its size). For an unknown key or version only key, version, correlation id and client id
 * are read, which have the same place in headers 1 and 2: ApiVersions must be answered at any version. Throws DecodeError.
 */
export function decodeRequestHeader(frame: Buffer): RequestHeader {
  try {
    const reader = new Reader(frame, 0, 64 * 1024, longestNameBytes)
    const apiKey = reader.int16()
    const apiVersion = reader.int16()
    const correlationId = reader.int32()
    const api = apiByKey(apiKey)
    const version = api !== undefined && supportsVersion(api, apiVersion) ? requestHeaderVersion(api, apiVersion) : 1
    const clientId = version >= 1 ? (reader.nullableString() ?? '') : ''
    if (version >= 2) reader.skipTags()
    return { apiKey, apiVersion, correlationId, clientId, bodyOffset: reader.position }
  } catch (error) {
    if (error instanceof DecodeError) throw new DecodeError(`request header: ${error.message}`)
    if (error instanceof RangeError) throw new DecodeError('request header: truncated')
    throw error
  }
}

/** The body of a request whose header has been read. Throws DecodeError, also for names that are absurdly long. */
export function decodeRequestBody<Req, Res>(api: Api<Req, Res>, version: number, frame: Buffer, bodyOffset: number): Req {
  const objectBytes = api.clusterAction ? clusterObjectBytes : defaultMaxObjectBytes
  return decode(api.request, version, frame, bodyOffset, objectBytes, longestNameBytes)
}

/** The correlation id of a response frame (without its size). Throws DecodeError. */
export function correlationIdOf(frame: Buffer): number {
  if (frame.length < 4) throw new DecodeError('response header: truncated')
  return frame.readInt32BE(0)
}

/** The body of a response frame (without its size), behind its header. Throws DecodeError. */
export function decodeResponseBody<Req, Res>(api: Api<Req, Res>, version: number, frame: Buffer): Res {
  const reader = new Reader(frame, 4, 64 * 1024)
  if (responseHeaderVersion(api, version) >= 1) {
    try {
      reader.skipTags()
    } catch (error) {
      if (error instanceof DecodeError || error instanceof RangeError) throw new DecodeError('response header: truncated')
      throw error
    }
  }
  return decode(api.response, version, frame, reader.position, responseObjectBytes)
}
