import { basename, dirname, join } from 'node:path'
import { connect } from 'node:net'
import { EventReader } from '../../recording/codec'
import { FOLLOW_SOCKET, LONGEST_SOCKET_PATH } from '../../recording/file-recorder'
import { eventsAfter, filesVersion, readRecording } from './recording-files'
import type { Recorded } from '../../recording/events'

const RETRY_MS = 200

/** What is shown of a process that was dead before we came. */
const LAST_WORDS = 5

export interface SourceOptions {
  /** `DIR/broker-1/recording`. */
  directory: string
  /** Also what the files hold from before. */
  fromBeginning: boolean
  onEvent(recorded: Recorded): void
  /** Something about the process that it cannot say itself. */
  onRemark(process: string, text: string): void
}

/**
 * One process's recording, live: from its socket while it lives, from its files for what was said before we were connected and
 * for its last words; again when it comes back.
 */
export class RecordingSource {
  private readonly options: SourceOptions
  /** The process's name, as its events tell it; its directory's until then. */
  private name: string
  private last: Recorded | undefined
  private seenVersion: string | undefined
  private isFirst = true
  private isClosed = false
  private timer: NodeJS.Timeout | undefined
  private socket: ReturnType<typeof connect> | undefined

  constructor(options: SourceOptions) {
    this.options = options
    this.name = basename(dirname(options.directory))
  }

  start(): void {
    void this.run()
  }

  close(): void {
    this.isClosed = true
    clearTimeout(this.timer)
    this.socket?.destroy()
  }

  private async run(): Promise<void> {
    let wasConnected = false
    while (!this.isClosed) {
      const isConnected = await this.follow()
      if (this.isClosed) return
      const wasKnown = this.last !== undefined
      this.catchUp(false)
      if (isConnected) {
        wasConnected = true
        // Perhaps it has only let go of us; if it is gone, the next attempt tells.
        continue
      }
      const { event } = this.last ?? {}
      if (wasConnected && !(event?.kind === 'life' && event.what === 'stopped'))
        this.remark('gone: what stands above are its last words')
      else if (!wasKnown && this.last !== undefined) this.remark('does not run: what stands above are its last words')
      wasConnected = false
      this.isFirst = false
      await new Promise<void>((resolve) => {
        this.timer = setTimeout(resolve, RETRY_MS)
      })
    }
  }

  /** Where no socket could be made its absence says nothing. */
  private remark(text: string): void {
    if (Buffer.byteLength(this.socketPath) <= LONGEST_SOCKET_PATH) this.options.onRemark(this.name, text)
  }

  private get socketPath(): string {
    return join(this.options.directory, FOLLOW_SOCKET)
  }

  /** Resolves when the connection is over; with false if there was none. */
  private follow(): Promise<boolean> {
    return new Promise((resolve) => {
      const reader = new EventReader()
      let isConnected = false
      const socket = connect(this.socketPath)
      this.socket = socket
      socket.once('connect', () => {
        isConnected = true
        // From here on everything comes by the socket; what was said before is in the files.
        this.catchUp(true)
        this.isFirst = false
      })
      socket.on('data', (chunk: Buffer) => {
        try {
          for (const recorded of reader.push(chunk)) this.take(recorded)
        } catch (error) {
          socket.destroy(error as Error)
        }
      })
      socket.once('error', () => {})
      socket.once('close', () => resolve(isConnected))
    })
  }

  /** What the files hold beyond what is known. */
  private catchUp(isAlive: boolean): void {
    const { directory, fromBeginning } = this.options
    const version = filesVersion(directory)
    if (version === this.seenVersion) return
    this.seenVersion = version
    const events = readRecording(directory)
    if (this.last !== undefined) {
      for (const recorded of eventsAfter(events, this.last)) this.take(recorded)
      return
    }
    const shown = fromBeginning || !this.isFirst ? events : isAlive ? [] : events.slice(-LAST_WORDS)
    this.remember(events.at(-1))
    for (const recorded of shown) this.give(recorded)
  }

  /** Both ways may tell the same; a new life begins at 1 again, but later. */
  private take(recorded: Recorded): void {
    const { last } = this
    if (last !== undefined && recorded.sequence <= last.sequence && recorded.wallUs <= last.wallUs) return
    this.give(recorded)
  }

  private give(recorded: Recorded): void {
    this.remember(recorded)
    this.options.onEvent(recorded)
  }

  private remember(recorded: Recorded | undefined): void {
    if (recorded === undefined) return
    this.last = recorded
    this.name = recorded.process
  }
}
