import {
  closeSync, constants, existsSync, fdatasync, fdatasyncSync, fstatSync, fsync, fsyncSync, ftruncateSync, mkdir, mkdirSync, open,
  openSync, read, readdirSync, readFileSync, readSync, renameSync, rm, statfsSync, statSync, unlinkSync, utimesSync, writeSync,
  writevSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { Disk, DiskFile, FileStat, OpenMode } from './ports'

const FLAGS: Record<OpenMode, number> = {
  read: constants.O_RDONLY,
  update: constants.O_RDWR | constants.O_CREAT,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC,
}

/** writev takes at most this many buffers (IOV_MAX). */
const MOST_PARTS = 1024

class RealFile implements DiskFile {
  readonly path: string
  private readonly fd: number

  constructor(path: string, fd: number) {
    this.path = path
    this.fd = fd
  }

  read(target: Uint8Array, offset: number, length: number, position: number): number {
    let done = 0
    while (done < length) {
      const count = readSync(this.fd, target, offset + done, length - done, position + done)
      if (count === 0) break
      done += count
    }
    return done
  }

  readLater(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      read(this.fd, target, offset, length, position, (error, count) => (error ? reject(error) : resolve(count)))
    })
  }

  write(source: Uint8Array, position: number): void {
    let done = 0
    while (done < source.length) done += writeSync(this.fd, source, done, source.length - done, position + done)
  }

  writev(sources: Uint8Array[], position: number): void {
    for (let first = 0; first < sources.length; first += MOST_PARTS) {
      const parts = sources.slice(first, first + MOST_PARTS)
      let left = parts.reduce((sum, part) => sum + part.length, 0)
      const written = writevSync(this.fd, parts, position)
      position += written
      left -= written
      // A short write is rare (a nearly full disk): the rest goes out part by part, and says why it cannot.
      if (left > 0) position = this.writeRest(parts, written, position)
    }
  }

  private writeRest(parts: Uint8Array[], written: number, position: number): number {
    for (const part of parts) {
      if (written >= part.length) {
        written -= part.length
        continue
      }
      const rest = part.subarray(written)
      this.write(rest, position)
      position += rest.length
      written = 0
    }
    return position
  }

  truncate(length: number): void {
    ftruncateSync(this.fd, length)
  }

  size(): number {
    return fstatSync(this.fd).size
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.fd, (error) => (error ? reject(error) : resolve()))
    })
  }

  syncNow(): void {
    fdatasyncSync(this.fd)
  }

  close(): void {
    closeSync(this.fd)
  }
}

function statOrUndefined(path: string): FileStat | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  return { size: stat.size, mtimeMs: stat.mtimeMs, isDirectory: stat.isDirectory(), inode: stat.ino }
}

/** Node's own `recursive` never comes back where nothing can be made in a folder that is there (/proc). */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(path).isDirectory()) return
    const parent = dirname(path)
    if (code !== 'ENOENT' || parent === path || existsSync(parent)) throw error
    makeDirectory(parent)
    makeDirectory(path)
  }
}

export const realDisk: Disk = {
  open: (path, mode, permissions = 0o644) => new RealFile(path, openSync(path, FLAGS[mode], permissions)),
  openLater: (path, mode, permissions = 0o644) =>
    new Promise((resolve, reject) => {
      open(path, FLAGS[mode], permissions, (error, fd) => (error ? reject(error) : resolve(new RealFile(path, fd))))
    }),
  exists: existsSync,
  stat: statOrUndefined,
  list: (path) => readdirSync(path).sort(),
  makeDirectory,
  makeDirectoryLater: (path) =>
    new Promise((resolve, reject) => {
      mkdir(path, (error) => (error ? reject(error) : resolve()))
    }),
  rename: renameSync,
  remove(path) {
    try {
      unlinkSync(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  },
  removeTree: (path) =>
    new Promise((resolve, reject) => {
      rm(path, { recursive: true, force: true }, (error) => (error ? reject(error) : resolve()))
    }),
  readFile: (path) => readFileSync(path),
  syncDirectory(path) {
    const fd = openSync(path, constants.O_RDONLY)
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  },
  syncDirectoryLater(path) {
    const fd = openSync(path, constants.O_RDONLY)
    return new Promise<void>((resolve, reject) => {
      fsync(fd, (error) => (error ? reject(error) : resolve()))
    }).finally(() => closeSync(fd))
  },
  setModified(path, mtimeMs) {
    utimesSync(path, mtimeMs / 1000, mtimeMs / 1000)
  },
  space(path) {
    const stat = statfsSync(path)
    return { total: stat.blocks * stat.bsize, usable: stat.bavail * stat.bsize }
  },
}
