import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'

/** Upon SIGUSR2 collects garbage, and writes what is left to a file that is named by the process. */
const PRELOAD = `
const { renameSync, writeFileSync } = require('node:fs')
require('node:v8').setFlagsFromString('--expose-gc')
const gc = require('node:vm').runInNewContext('gc')
process.on('SIGUSR2', () => {
  gc()
  gc()
  const { heapUsed, external } = process.memoryUsage()
  const file = require('node:path').join(__dirname, String(process.pid))
  writeFileSync(file + '.tmp', String(heapUsed + external))
  renameSync(file + '.tmp', file)
})
`

/**
 * What lives in the memory of brokers after a collection: resident memory says little of a process that collects when it
 * likes.
 */
export class LiveMemory {
  private readonly directory = mkdtempSync(join(tmpdir(), 'bench-memory-'))

  /** Starts Node processes that can be asked. */
  async whileStarting<T>(start: () => Promise<T>): Promise<T> {
    const preload = join(this.directory, 'preload.cjs')
    writeFileSync(preload, PRELOAD)
    const before = process.env['NODE_OPTIONS']
    process.env['NODE_OPTIONS'] = `${before ?? ''} --require ${preload}`
    try {
      return await start()
    } finally {
      if (before === undefined) delete process.env['NODE_OPTIONS']
      else process.env['NODE_OPTIONS'] = before
    }
  }

  /** Bytes; of a Java process what `jmap` counts (the JDK's). */
  async bytes(pid: number): Promise<number> {
    if (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'java') {
      const histogram = execFileSync('jmap', ['-histo:live', String(pid)], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
      return Number(/Total\s+\d+\s+(\d+)/.exec(histogram)![1])
    }
    const file = join(this.directory, String(pid))
    rmSync(file, { force: true })
    process.kill(pid, 'SIGUSR2')
    while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 5))
    return Number(readFileSync(file, 'utf8'))
  }

  close(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}
