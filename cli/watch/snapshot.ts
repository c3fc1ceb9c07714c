import { connect } from 'node:net'
import { join } from 'node:path'
import { EventReader } from '../../recording/codec'
import { FOLLOW_SOCKET, SNAPSHOT_REQUEST } from '../../recording/file-recorder'

/** Asks every process for the controller's memory, as JSON. Resolves with undefined if none is the controller. */
export async function askForSnapshot(directories: readonly string[], timeoutMs: number): Promise<string | undefined> {
  const sockets = directories.map((directory) => connect(join(directory, FOLLOW_SOCKET)))
  const answers = sockets.map(
    (socket) =>
      new Promise<string | undefined>((resolve) => {
        const reader = new EventReader()
        socket.setTimeout(timeoutMs, () => socket.destroy())
        socket.once('connect', () => socket.write(`${SNAPSHOT_REQUEST}\n`))
        socket.on('data', (chunk: Buffer) => {
          for (const { event } of reader.push(chunk)) if (event.kind === 'snapshot') resolve(event.memory)
        })
        socket.once('error', () => {})
        socket.once('close', () => resolve(undefined))
      }),
  )
  const first = await Promise.race([
    ...answers.map(async (answer) => (await answer) ?? new Promise<never>(() => {})),
    Promise.all(answers),
  ])
  for (const socket of sockets) socket.destroy()
  return Array.isArray(first) ? first.find((memory) => memory !== undefined) : first
}
