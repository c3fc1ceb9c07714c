import { createServer } from 'node:net'

export const HOST = '127.0.0.1'

/** A port that cannot be had; the message says what to do. */
export class PortError extends Error {
  override readonly name = 'PortError'
}

/** Binds, and lets go again. Resolves with the port. */
function tryPort(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ port, host: HOST, exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : port))
    })
  })
}

/** Makes sure that a port is free. Throws PortError, naming the option that would take another one. */
export async function requirePort(port: number, option: string): Promise<number> {
  try {
    return await tryPort(port)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE')
      throw new PortError(`Port ${HOST}:${port} is in use. Stop what listens there, or choose another with ${option}.`)
    if (code === 'EACCES') throw new PortError(`Port ${HOST}:${port} needs privileges. Choose one above 1023 with ${option}.`)
    throw new PortError(`Port ${HOST}:${port} cannot be opened: ${message}.`)
  }
}

/** `count` ports from `first` on, or any free ones, all different, for 0. */
export async function choosePorts(first: number, count: number, option: string): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = await requirePort(first === 0 ? 0 : first + ports.length, option)
    if (!ports.includes(port)) ports.push(port)
  }
  return ports
}
