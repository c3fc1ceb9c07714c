import { OpCode, Xid } from './replies'

/** What a session is resumed with; whoever knows them can act as the session. */
export interface Credentials {
  id: bigint
  password: Buffer
}

/** Who a session is, for ACLs. */
export interface AuthInfo {
  scheme: string
  auth: Buffer
}

export interface Handshake {
  lastZxid: number
  timeoutMs: number
  sessionId: bigint
  password: Buffer
}

export const pingPacket = Buffer.alloc(12)
pingPacket.writeInt32BE(8, 0)
pingPacket.writeInt32BE(Xid.ping, 4)
pingPacket.writeInt32BE(OpCode.ping, 8)

export function handshakePacket({ lastZxid, timeoutMs, sessionId, password }: Handshake): Buffer {
  const packet = Buffer.alloc(49)
  packet.writeInt32BE(45, 0)
  packet.writeInt32BE(0, 4)
  packet.writeBigInt64BE(BigInt(lastZxid), 8)
  packet.writeInt32BE(timeoutMs, 16)
  packet.writeBigInt64BE(sessionId, 20)
  packet.writeInt32BE(16, 28)
  password.copy(packet, 32, 0, 16)
  // The last byte says that a read-only server would not do.
  return packet
}

export function authPacket({ scheme, auth }: AuthInfo): Buffer {
  const name = Buffer.from(scheme)
  const packet = Buffer.alloc(4 + 8 + 4 + 4 + name.length + 4 + auth.length)
  let offset = packet.writeInt32BE(packet.length - 4, 0)
  for (const value of [Xid.auth, OpCode.auth, 0, name.length]) offset = packet.writeInt32BE(value, offset)
  offset += name.copy(packet, offset)
  offset = packet.writeInt32BE(auth.length, offset)
  auth.copy(packet, offset)
  return packet
}

/** `lists` are the paths by kind: data, exist, child, and for setWatches2 persistent and persistent recursive. */
export function setWatchesPacket(relativeZxid: number, lists: Buffer[][]): Buffer {
  const length = lists.reduce((sum, paths) => paths.reduce((bytes, path) => bytes + 4 + path.length, sum + 4), 16)
  const packet = Buffer.alloc(4 + length)
  packet.writeInt32BE(length, 0)
  packet.writeInt32BE(Xid.setWatches, 4)
  packet.writeInt32BE(lists.length === 5 ? OpCode.setWatches2 : OpCode.setWatches, 8)
  packet.writeBigInt64BE(BigInt(relativeZxid), 12)
  let offset = 20
  for (const paths of lists) {
    offset = packet.writeInt32BE(paths.length, offset)
    for (const path of paths) {
      offset = packet.writeInt32BE(path.length, offset)
      offset += path.copy(packet, offset)
    }
  }
  return packet
}
