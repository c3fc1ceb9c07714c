import { writeSync } from 'node:fs'

const CHUNK_CHARACTERS = 64 * 1024
const RETRY_MS = 5

/**
 * For a tool that prints much without ever giving the event loop its turn. `process.stdout` would keep something of each write to a
 * pipe until then, and could not tell that nobody reads any more.
 */
export function synchronousOutput(fd: number): { print(line: string): void; flush(): void } {
  let waiting = ''
  const flush = (): void => {
    const bytes = Buffer.from(waiting)
    waiting = ''
    for (let done = 0; done < bytes.length; ) {
      try {
        done += writeSync(fd, bytes, done)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        // A reader that went away (`| head`) is no failure of the tool.
        if (code === 'EPIPE') process.exit(0)
        // A pipe or a terminal that another process has made non-blocking.
        if (code !== 'EAGAIN') throw error
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS)
      }
    }
  }
  return {
    print(line) {
      waiting += `${line}\n`
      if (waiting.length >= CHUNK_CHARACTERS) flush()
    },
    flush,
  }
}
