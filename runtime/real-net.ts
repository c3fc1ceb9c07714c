import { lookup } from 'node:dns/promises'
import { connect, createServer, Socket } from 'node:net'
import type { OnReadOpts, SocketConstructorOpts } from 'node:net'
import type { Net, Stream, StreamHandler } from './ports'

/**
 * Where all sockets of this event loop receive. A chunk is handed on before the next read, so one buffer serves them all, and an
 * idle connection costs none (io.md, Produce).
 */
const shared = Buffer.allocUnsafeSlow(256 * 1024)

class RealStream implements Stream {
  private socket!: Socket
  private handler: StreamHandler | undefined
  private error: Error | undefined
  private closed = false
  private host = ''
  private port = 0
  private ownPort = 0

  /** What Node asks before and after each read. */
  readonly onread: OnReadOpts = {
    buffer: () => this.handler?.receiveBuffer?.() ?? shared,
    callback: (count, buffer) => {
      this.handler?.onData((buffer as Buffer).subarray(0, count))
      return true
    },
  }

  get remoteAddress(): string {
    return this.host
  }

  get remotePort(): number {
    return this.port
  }

  get localPort(): number {
    return this.ownPort
  }

  get pendingBytes(): number {
    return this.socket.writableLength
  }

  attach(socket: Socket): void {
    this.socket = socket
    socket.setNoDelay(true)
    this.learnAddresses()
    socket.on('connect', () => {
      this.learnAddresses()
      if (!this.closed) this.handler?.onConnect?.()
    })
    socket.on('drain', () => this.handler?.onDrain?.())
    socket.on('error', (error) => {
      this.error = error
    })
    socket.on('close', () => {
      if (this.closed) return
      this.closed = true
      this.handler?.onClose(this.error)
    })
  }

  handle(handler: StreamHandler): void {
    this.handler = handler
  }

  write(bytes: Uint8Array, onWritten?: () => void): boolean {
    if (this.socket.destroyed || this.socket.writableEnded) return false
    return onWritten === undefined ? this.socket.write(bytes) : this.socket.write(bytes, () => onWritten())
  }

  writev(parts: Uint8Array[], onWritten?: () => void): boolean {
    if (parts.length === 1) return this.write(parts[0]!, onWritten)
    this.socket.cork()
    let ready = true
    for (let i = 0; i < parts.length; i++) ready = this.write(parts[i]!, i === parts.length - 1 ? onWritten : undefined)
    this.socket.uncork()
    return ready
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  end(): void {
    this.socket.end()
  }

  destroy(): void {
    this.socket.destroy()
  }

  private learnAddresses(): void {
    this.host = this.socket.remoteAddress?.replace(/^::ffff:/, '') ?? this.host
    this.port = this.socket.remotePort ?? this.port
    this.ownPort = this.socket.localPort ?? this.ownPort
  }
}

/** Node's own handle of an accepted socket: an internal field, used here alone. */
interface WithHandle {
  _handle: unknown
}

/**
 * Takes an accepted socket's handle over into a socket that reads into buffers of ours, which Node's public interface offers for
 * outgoing connections only.
 */
function takeOver(accepted: Socket, onread: OnReadOpts): Socket {
  const handle = (accepted as unknown as WithHandle)._handle
  ;(accepted as unknown as WithHandle)._handle = null
  accepted.destroy()
  return new Socket({ handle, onread } as SocketConstructorOpts)
}

export const realNet: Net = {
  connect(host, port, handler) {
    const stream = new RealStream()
    stream.handle(handler)
    stream.attach(connect({ ...(host.startsWith('/') ? { path: host } : { host, port }), onread: stream.onread }))
    return stream
  },

  listen(host, port, accept) {
    return new Promise((resolve, reject) => {
      const server = createServer({ pauseOnConnect: true }, (accepted) => {
        const stream = new RealStream()
        stream.attach(takeOver(accepted, stream.onread))
        const handler = accept(stream)
        if (handler === undefined) stream.destroy()
        else stream.handle(handler)
      })
      server.once('error', reject)
      const where = host.startsWith('/') ? { path: host } : { port, ...(host === '' ? {} : { host }) }
      server.listen(where, () => {
        server.off('error', reject)
        // A failing accept (no descriptors left) must not end the process; the client sees a refused connection.
        server.on('error', () => {})
        const address = server.address()
        const bound = typeof address === 'string' || address === null ? { host, port } : { host: address.address, port: address.port }
        resolve({ ...bound, close: () => void server.close() })
      })
    })
  },

  async lookup(host) {
    try {
      return (await lookup(host)).address
    } catch {
      return undefined
    }
  },
}
