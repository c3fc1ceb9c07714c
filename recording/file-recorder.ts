import { encodeRecorded } from './codec'
import type { Recorded, RecordedEvent, Recorder } from './events'
import type { DiskFile, Environment, Listener, Stream } from '../runtime/ports'
import type { Logger } from '../runtime/log'

/** Two files of at most this size, written in turn: the last 8 to 16 MiB of a process's life are always there. */
const MOST_FILE_BYTES = 8 * 1024 * 1024

/** A follower that does not read is let go; it can follow again and read the files. */
const MOST_PENDING_BYTES = 16 * 1024 * 1024

const MOST_FOLLOWERS = 16

/** Unix socket paths are limited by the kernel (sun_path). */
export const LONGEST_SOCKET_PATH = 107

export const RECORDING_FILES = ['recording-0.bin', 'recording-1.bin'] as const
export const FOLLOW_SOCKET = 'follow.sock'

/** A follower that sends this line asks for a snapshot of the controller's memory; it comes as an event, to everybody. */
export const SNAPSHOT_REQUEST = 'snapshot'

const LONGEST_REQUEST = 64

/**
 * Writes a process's events to two alternating bounded files and to whoever follows on a Unix socket beside them. Events are
 * encoded when they happen and written once per turn of the event loop, so that a kill leaves the last words on disk. A disk
 * that refuses costs the recording, never the process.
 */
export class FileRecorder implements Recorder {
  private readonly env: Environment
  private readonly directory: string
  private readonly process: string
  private readonly logger: Logger
  private file: DiskFile | undefined
  private current = 0
  private position = 0
  private sequence = 0
  private pending: Buffer[] = []
  private scheduled = false
  private listener: Listener | undefined
  private readonly followers = new Set<Stream>()
  /** The difference of the two clocks, to less than the wall clock's millisecond. */
  private wallAheadMs = -Infinity
  /** Called when a follower asks for a snapshot. */
  onSnapshotRequest: () => void = () => {}

  constructor(env: Environment, options: { directory: string; process: string; logger: Logger }) {
    this.env = env
    this.directory = options.directory
    this.process = options.process
    this.logger = options.logger
  }

  /** Goes on in the older of the two files, so that the newer one keeps what the process before wrote last. */
  async start(): Promise<void> {
    const { disk, net } = this.env
    const socket = `${this.directory}/${FOLLOW_SOCKET}`
    if (await this.isTaken(socket)) {
      this.logger.warn({ directory: this.directory }, 'another process records there: this one, which may be a second start, does not')
      return
    }
    try {
      disk.makeDirectory(this.directory)
      const times = RECORDING_FILES.map((name) => disk.stat(`${this.directory}/${name}`)?.mtimeMs ?? 0)
      this.current = times[0]! <= times[1]! ? 0 : 1
      this.file = disk.open(`${this.directory}/${RECORDING_FILES[this.current]!}`, 'create')
    } catch (error) {
      this.giveUp(error)
      return
    }
    if (Buffer.byteLength(socket) > LONGEST_SOCKET_PATH) return
    try {
      disk.remove(socket)
      this.listener = await net.listen(socket, 0, (stream) => this.accept(stream))
    } catch (error) {
      this.logger.warn({ socket, error: String(error) }, 'the recording cannot be followed live, only read from its files')
    }
  }

  /** Whether somebody answers at the socket; that of a dead process refuses. */
  private isTaken(socket: string): Promise<boolean> {
    if (Buffer.byteLength(socket) > LONGEST_SOCKET_PATH || this.env.disk.stat(socket) === undefined) return Promise.resolve(false)
    return new Promise((resolve) => {
      const stream = this.env.net.connect(socket, 0, {
        onConnect: () => {
          resolve(true)
          stream.destroy()
        },
        onData: () => {},
        onClose: () => resolve(false),
      })
    })
  }

  record(event: RecordedEvent): void {
    if (this.file === undefined && this.followers.size === 0) return
    const { clock } = this.env
    const monoMs = clock.monoMs()
    const recorded: Recorded = {
      sequence: ++this.sequence,
      wallUs: this.wallUs(monoMs),
      monoMs,
      process: this.process,
      event,
    }
    this.pending.push(encodeRecorded(recorded))
    if (this.scheduled) return
    this.scheduled = true
    clock.immediate(this.flush)
  }

  /**
   * The wall clock tells whole milliseconds, too few to put the events of several processes in order. It is never behind what it
   * tells, so the largest difference to the monotonic clock that was seen is the best; a step of the wall clock begins anew.
   */
  private wallUs(monoMs: number): number {
    const aheadMs = this.env.clock.wallMs() - monoMs
    if (aheadMs > this.wallAheadMs || aheadMs < this.wallAheadMs - 2) this.wallAheadMs = aheadMs
    return Math.round((monoMs + this.wallAheadMs) * 1000)
  }

  /** Writes what is pending now: for the last words before an exit. */
  readonly flush = (): void => {
    this.scheduled = false
    if (this.pending.length === 0) return
    const bytes = this.pending.length === 1 ? this.pending[0]! : Buffer.concat(this.pending)
    this.pending = []
    for (const follower of this.followers) {
      if (follower.pendingBytes > MOST_PENDING_BYTES) follower.destroy()
      else follower.write(bytes)
    }
    if (this.file === undefined) return
    try {
      if (this.position > 0 && this.position + bytes.length > MOST_FILE_BYTES) this.turnOver()
      this.file.write(bytes, this.position)
      this.position += bytes.length
    } catch (error) {
      this.giveUp(error)
    }
  }

  close(): void {
    this.flush()
    this.listener?.close()
    for (const follower of this.followers) follower.end()
    this.file?.close()
    this.file = undefined
  }

  private turnOver(): void {
    this.file?.close()
    this.file = undefined
    this.current = 1 - this.current
    this.file = this.env.disk.open(`${this.directory}/${RECORDING_FILES[this.current]!}`, 'create')
    this.position = 0
  }

  private giveUp(error: unknown): void {
    this.file = undefined
    this.logger.warn({ directory: this.directory, error: String(error) }, 'the recording is not written any more')
  }

  private accept(stream: Stream): ReturnType<Parameters<Environment['net']['listen']>[2]> {
    if (this.followers.size >= MOST_FOLLOWERS) return undefined
    this.followers.add(stream)
    let line = ''
    return {
      onData: (chunk) => {
        const lines = (line + chunk.toString('latin1')).split('\n')
        line = lines.pop()!.slice(0, LONGEST_REQUEST)
        if (lines.includes(SNAPSHOT_REQUEST)) this.onSnapshotRequest()
      },
      onClose: () => void this.followers.delete(stream),
    }
  }
}
