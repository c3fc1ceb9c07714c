import { Connection } from '../../../zookeeper/connection'
import type { ConnectionHost } from '../../../zookeeper/connection'
import { OPEN_ACL } from '../../../zookeeper/acl'
import { EventType } from '../../../zookeeper/protocol'
import type { Stream } from '../../../runtime/ports'

class FakeStream implements Stream {
  readonly remoteAddress = '10.0.0.1'
  readonly remotePort = 1
  readonly localPort = 2
  pendingBytes = 0
  written: Buffer[] = []
  state = 'open'
  isPaused = false

  write(bytes: Uint8Array): boolean {
    this.written.push(Buffer.from(bytes))
    return true
  }

  writev(parts: Uint8Array[]): boolean {
    return this.write(Buffer.concat(parts))
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  end(): void {
    this.state = 'ended'
  }

  destroy(): void {
    this.state = 'destroyed'
  }
}

interface Bench {
  connection: Connection
  stream: FakeStream
  host: ConnectionHost & { currentZxid: number; durableZxid: number }
  packets: string[]
}

function bench(onPacket: (connection: Connection, packet: Buffer) => void = () => {}): Bench {
  const stream = new FakeStream()
  const packets: string[] = []
  const host = {
    maxPacketBytes: 1000,
    currentZxid: 0,
    durableZxid: 0,
    nowMs: () => 0,
    fourLetterWord: (_: Connection, word: number) => (word === 0x72756f6b ? 'imok' : undefined),
    onHandshake: (_: Connection, packet: Buffer) => void packets.push(`hello ${packet.toString()}`),
    onPacket(connection: Connection, packet: Buffer) {
      packets.push(packet.toString())
      onPacket(connection, packet)
    },
    onReceived() {},
    onAnswered() {},
    onClosed() {},
    needsFlush() {},
  }
  return { connection: new Connection(host, stream), stream, host, packets }
}

function frame(text: string): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(text.length)
  return Buffer.concat([length, Buffer.from(text)])
}

test('packets come out whole, however the bytes arrive', () => {
  const bytes = Buffer.concat(['hi', 'one', '', 'three'].map(frame))
  for (let size = 1; size <= bytes.length; size++) {
    const { connection, packets } = bench()
    for (let at = 0; at < bytes.length; at += size) {
      const chunk = Buffer.from(bytes.subarray(at, at + size))
      connection.onData(chunk)
      // The chunk is only lent.
      chunk.fill(0xff)
    }
    expect(packets).toEqual(['hello hi', 'one', '', 'three'])
  }
})

test('what depends on an unsynced transaction waits, and so does everything behind it', () => {
  const { connection, stream, host } = bench()
  connection.send(Buffer.from('a'))
  host.currentZxid = 5
  connection.send(Buffer.from('b'))
  expect(connection.flush()).toBe(false)
  expect(Buffer.concat(stream.written).toString()).toBe('a')
  host.currentZxid = 6
  connection.send(Buffer.from('c'))
  host.durableZxid = 5
  expect(connection.flush()).toBe(false)
  expect(Buffer.concat(stream.written).toString()).toBe('ab')
  connection.end()
  expect(stream.state).toBe('open')
  host.durableZxid = 6
  expect(connection.flush()).toBe(true)
  expect(Buffer.concat(stream.written).toString()).toBe('abc')
  expect(stream.state).toBe('ended')
})

test('who is owed much is not read from, and goes on where it stopped', () => {
  const { connection, stream, packets } = bench((one) => one.send(Buffer.alloc(600_000)))
  connection.onData(Buffer.concat(['hi', '1', '2', '3', '4', '5'].map(frame)))
  expect(packets).toEqual(['hello hi', '1', '2'])
  expect(stream.isPaused).toBe(true)
  connection.onData(frame('6'))
  expect(packets).toHaveLength(3)
  stream.pendingBytes = 1_200_000
  connection.flush()
  expect(packets).toHaveLength(3)
  stream.pendingBytes = 0
  connection.onDrain()
  expect(packets).toEqual(['hello hi', '1', '2', '3', '4'])
  connection.flush()
  expect(packets).toEqual(['hello hi', '1', '2', '3', '4', '5', '6'])
  connection.flush()
  expect(stream.isPaused).toBe(false)
})

test('who never takes its events is cut off', () => {
  const { connection, stream } = bench()
  const path = `/${'x'.repeat(100_000)}`
  for (let i = 0; i < 600; i++) connection.notify(EventType.nodeDataChanged, path, OPEN_ACL)
  expect(stream.state).toBe('open')
  for (let i = 0; i < 200; i++) connection.notify(EventType.nodeDataChanged, path, OPEN_ACL)
  expect(stream.state).toBe('destroyed')
})

test('a four-letter word is only one at the beginning', () => {
  const word = bench()
  word.connection.onData(Buffer.from('ruok\n'))
  expect(word.connection.flush()).toBe(true)
  expect(Buffer.concat(word.stream.written).toString()).toBe('imok')
  expect(word.stream.state).toBe('ended')
  const late = bench()
  late.connection.onData(frame('hi'))
  late.connection.onData(Buffer.from('ruok'))
  expect(late.stream.state).toBe('destroyed')
})

test('a watcher who may not read the node is not told of it', () => {
  const { connection, stream } = bench()
  connection.notify(EventType.nodeCreated, '/secret', [{ perms: 31, scheme: 'digest', id: 'joe:x' }])
  connection.flush()
  expect(stream.written).toEqual([])
})
