import { connect } from 'node:net'

const ANSWER_MS = 8_000

/** Sends one frame on a connection of its own: the answer without its size, or how it ended. */
export function exchange(port: number, frame: Uint8Array): Promise<Buffer | 'closed' | 'no answer'> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let received = Buffer.alloc(0)
    const settle = (result: Buffer | 'closed' | 'no answer'): void => {
      clearTimeout(late)
      socket.destroy()
      resolve(result)
    }
    const late = setTimeout(() => settle('no answer'), ANSWER_MS)
    socket.on('error', () => settle('closed'))
    socket.on('close', () => settle('closed'))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) settle(received.subarray(4, 4 + received.readInt32BE(0)))
    })
    socket.write(frame)
  })
}

/** With a size in front, its own if no other is given. */
export function sized(bytes: Uint8Array, size = bytes.length): Buffer {
  const frame = Buffer.alloc(4 + bytes.length)
  frame.writeInt32BE(size, 0)
  frame.set(bytes, 4)
  return frame
}
