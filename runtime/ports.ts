/**
 * The ports: everything that the product may know of the outside world.
 *
 * Production code gets an `Environment`. The real one (real.ts) is thin; the simulated one (test/simulation) runs a whole
 * cluster in one process on virtual time from one seed. What is not behind a port cannot be simulated, so a test forbids
 * Node's clocks, timers, files, sockets and random numbers everywhere else.
 */

/** A pending timer. `cancel` is idempotent and may be called after the timer fired. */
export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Monotonic milliseconds with fractions, from an arbitrary origin. Every time-out is measured with this one. */
  monoMs(): number
  /** Wall time, whole milliseconds since 1970. Only for timestamps that Kafka stores or prints, and for retention. */
  wallMs(): number
  /** Calls `callback` once, at least `delayMs` from now. Delays are clamped to 2^31-1 ms. */
  timer(delayMs: number, callback: () => void): Timer
  /** Calls `callback` after the input that is ready now has been handled (Node's check phase). */
  immediate(callback: () => void): void
}

export interface Random {
  /** In [0, 1). */
  next(): number
  /** A whole number in [0, bound). */
  below(bound: number): number
  bytes(length: number): Buffer
}

export interface FileStat {
  size: number
  mtimeMs: number
  isDirectory: boolean
  inode: number
}

/**
 * An open file. Reads and writes are positional and synchronous: they meet the page cache, and code without an `await` has no
 * place where the world can change. What may take long (syncing) is asynchronous, with a synchronous twin for shutdown.
 */
export interface DiskFile {
  readonly path: string
  /** Bytes read into `target[offset, offset+length)`; less than `length` only at the end of the file. */
  read(target: Uint8Array, offset: number, length: number, position: number): number
  /** The same on the thread pool, for data that may be cold. */
  readLater(target: Uint8Array, offset: number, length: number, position: number): Promise<number>
  /** Writes all the bytes at `position`. Throws (ENOSPC, EIO ...) if it cannot; then the content behind `position` is undefined. */
  write(source: Uint8Array, position: number): void
  writev(sources: Uint8Array[], position: number): void
  truncate(length: number): void
  size(): number
  /** fdatasync on the thread pool. A failed sync is never retried: the caller takes the log directory offline. */
  sync(): Promise<void>
  syncNow(): void
  close(): void
}

/** `read` must exist; `update` opens for reading and writing and creates; `create` also empties what is there. */
export type OpenMode = 'read' | 'update' | 'create'

/** Errors carry Node's `code` (ENOENT, EEXIST, ENOTEMPTY, ENOSPC, EIO, EACCES ...), in the simulator too. */
export interface Disk {
  /** `permissions` are for a file that is created: 0o644 by default, 0o600 for a secret. */
  open(path: string, mode: OpenMode, permissions?: number): DiskFile
  /** The same on the thread pool: to create a file may take a millisecond. */
  openLater(path: string, mode: OpenMode, permissions?: number): Promise<DiskFile>
  exists(path: string): boolean
  /** undefined if there is nothing. */
  stat(path: string): FileStat | undefined
  /** Sorted names. */
  list(path: string): string[]
  makeDirectory(path: string): void
  /** On the thread pool; EEXIST if there is something, ENOENT without its parent. */
  makeDirectoryLater(path: string): Promise<void>
  /** Renames a file or a directory, replacing a file. Durable only after `syncDirectory` of the parent. */
  rename(from: string, to: string): void
  /** Removes one file; nothing happens if it is not there. */
  remove(path: string): void
  /** Removes a directory and what is in it, or a (large) file, off the event loop; resolves when it is gone. */
  removeTree(path: string): Promise<void>
  readFile(path: string): Buffer
  /** Makes creations, renames and removals in this directory durable. */
  syncDirectory(path: string): void
  /** The same on the thread pool: a journal that has much to write takes tens of milliseconds. */
  syncDirectoryLater(path: string): Promise<void>
  /** Sets access and modification time (the cleaner keeps a segment's time). */
  setModified(path: string, mtimeMs: number): void
  /** Bytes of the file system that holds `path`. */
  space(path: string): { total: number; usable: number }
}

/** What happens on a stream. Callbacks are never called from inside a method of the stream. */
export interface StreamHandler {
  /**
   * Bytes arrived. `chunk` is valid only during the call, unless it lies in a buffer that `receiveBuffer` gave.
   */
  onData(chunk: Buffer): void
  /**
   * Where the next bytes shall go, if the reader waits for a frame of known length; undefined for the shared buffer.
   * A port may ignore it and deliver in chunks of its own.
   */
  receiveBuffer?(): Buffer | undefined
  /** All that was written has been handed to the kernel, after `write` had returned false. */
  onDrain?(): void
  /** The stream is over: closed by either side, reset, or never connected (then with an error). Called exactly once. */
  onClose(error?: Error): void
  /** The outgoing connection is established. */
  onConnect?(): void
}

export interface Stream {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localPort: number
  /** Bytes accepted by `write` that the kernel has not taken yet. */
  readonly pendingBytes: number
  /** Takes the bytes without copying: they must not change before `onWritten`. False: the caller should wait for onDrain. */
  write(bytes: Uint8Array, onWritten?: () => void): boolean
  /** Several buffers as one write. */
  writev(parts: Uint8Array[], onWritten?: () => void): boolean
  pause(): void
  resume(): void
  /** Sends what was written, then closes. */
  end(): void
  /** Closes at once; what was not sent is lost. */
  destroy(): void
}

export interface Listener {
  readonly host: string
  /** The real port, also where 0 was asked for. */
  readonly port: number
  close(): void
}

/** A host that begins with `/` is the path of a Unix socket. */
export interface Net {
  /** Never throws: a failure comes as `onClose(error)`. */
  connect(host: string, port: number, handler: StreamHandler): Stream
  /**
   * Resolves when listening; rejects with Node's code (EADDRINUSE, EACCES, EADDRNOTAVAIL).
   * `accept` gets each stream and returns its handler; undefined refuses the connection.
   */
  listen(host: string, port: number, accept: (stream: Stream) => StreamHandler | undefined): Promise<Listener>
  /** The address of a host, as `remoteAddress` would have it; undefined if there is none. An address is its own. */
  lookup(host: string): Promise<string | undefined>
}

export interface Environment {
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk
  readonly net: Net
}
