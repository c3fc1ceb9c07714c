import { realNet } from '../../../runtime/real-net'
import type { Listener, Stream, StreamHandler } from '../../../runtime/ports'

function collector(onData: (bytes: Buffer) => void, extra: Partial<StreamHandler> = {}): StreamHandler {
  return { onData: (chunk) => onData(Buffer.from(chunk)), onClose() {}, ...extra }
}

async function listen(accept: (stream: Stream) => StreamHandler | undefined): Promise<Listener> {
  return realNet.listen('127.0.0.1', 0, accept)
}

describe('streams over real sockets', () => {
  test('carry bytes both ways, gathered writes in order, and tell both sides of the end', async () => {
    const size = 3_000_000
    const closed: string[] = []
    const listener = await listen((stream) => collector((bytes) => void stream.write(bytes), { onClose: () => closed.push('server') }))
    const sent = Buffer.alloc(size, 7)
    sent.writeUInt32BE(123456, size - 4)
    const received = await new Promise<Buffer>((resolve, reject) => {
      const parts: Buffer[] = []
      let total = 0
      const stream = realNet.connect('127.0.0.1', listener.port, {
        onConnect: () => void stream.writev([sent.subarray(0, 10), sent.subarray(10, 2_000_000), sent.subarray(2_000_000)]),
        onData(chunk) {
          parts.push(Buffer.from(chunk))
          total += chunk.length
          if (total === size) stream.end()
        },
        onClose(error) {
          closed.push('client')
          if (error) reject(error)
          else resolve(Buffer.concat(parts))
        },
      })
    })
    expect(received.equals(sent)).toBe(true)
    expect(closed).toContain('client')
    listener.close()
  })

  test('deliver into the buffer that the reader asked for', async () => {
    const slab = Buffer.alloc(1 << 20)
    const done = new Promise<Buffer>((resolve) => {
      let filled = 0
      void listen(() => ({
        receiveBuffer: () => (filled === 0 ? undefined : slab.subarray(filled)),
        onData(chunk) {
          if (chunk.buffer !== slab.buffer) chunk.copy(slab, filled)
          filled += chunk.length
          if (filled === slab.length) resolve(slab)
        },
        onClose() {},
      })).then((listener) => {
        const stream = realNet.connect('127.0.0.1', listener.port, {
          onConnect: () => void stream.write(Buffer.alloc(slab.length, 9), () => stream.end()),
          onData() {},
          onClose: () => listener.close(),
        })
      })
    })
    expect((await done).every((byte) => byte === 9)).toBe(true)
  })

  test('stop reading while paused', async () => {
    let got = 0
    let server!: Stream
    const accepted = new Promise<void>((resolve) => {
      void listen((stream) => {
        server = stream
        stream.pause()
        resolve()
        return collector((bytes) => (got += bytes.length))
      }).then((listener) => {
        const client = realNet.connect('127.0.0.1', listener.port, {
          onConnect: () => void client.write(Buffer.alloc(1000)),
          onData() {},
          onClose: () => listener.close(),
        })
      })
    })
    await accepted
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
    expect(got).toBe(0)
    server.resume()
    while (got < 1000) await new Promise((resolve) => setImmediate(resolve))
    server.destroy()
  })

  test('a refused connection closes with its error', async () => {
    const listener = await listen(() => undefined)
    const { port } = listener
    listener.close()
    const error = await new Promise<Error | undefined>((resolve) => {
      realNet.connect('127.0.0.1', port, { onData() {}, onClose: resolve })
    })
    expect((error as NodeJS.ErrnoException).code).toBe('ECONNREFUSED')
  })

  test('listening on a port in use rejects with EADDRINUSE', async () => {
    const listener = await listen(() => undefined)
    await expect(realNet.listen('127.0.0.1', listener.port, () => undefined)).rejects.toMatchObject({ code: 'EADDRINUSE' })
    listener.close()
  })
})
