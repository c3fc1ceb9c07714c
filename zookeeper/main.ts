/** The process: `node dist/zookeeper.js config/zookeeper.properties`. */
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { parseProperties } from '../protocol/files/properties'
import { createLogger } from '../runtime/log'
import { onHangup } from '../runtime/hangup'
import { realEnvironment } from '../runtime/real'
import { parseZooKeeperConfig } from './config'
import { startZooKeeperServer } from './server'
import type { RunningZooKeeperServer } from './server'

/** Holds the directory for this process as long as it lives, kill -9 included. Only Linux can do it without leftovers. */
function lockDirectory(directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true })
  if (process.platform !== 'linux') return Promise.resolve()
  const { dev, ino } = statSync(directory)
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.unref()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') reject(new Error(`Another ZooKeeper is using ${directory}.`))
      else resolve()
    })
    server.listen(`\0prekraft-zookeeper-${dev}-${ino}`, resolve)
  })
}

/** One sentence for whoever typed the command. */
function explain(error: unknown, what: { host: string; port: number; dataDir: string }): string {
  const { code, message } = error as NodeJS.ErrnoException
  const address = `${what.host === '' ? '*' : what.host}:${what.port}`
  if (code === 'EADDRINUSE') return `Port ${address} is in use: stop what listens there, or set another clientPort.`
  if (code === 'EACCES' && message.includes('listen'))
    return `Port ${address} may not be opened: ports below 1024 need privileges.`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `${what.host} is not an address of this machine: correct clientPortAddress.`
  if (code === 'EEXIST' || code === 'ENOTDIR') return `${what.dataDir} is a file: set dataDir to a directory.`
  if (['EACCES', 'EPERM', 'EROFS', 'ENOENT'].includes(code ?? ''))
    return `${what.dataDir} cannot be written: check its owner and permissions.`
  return message
}

function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}

async function main(file: string | undefined): Promise<void> {
  process.title = 'prekraft-zookeeper'
  // Started for a test: it ends with the process that started it, whose end closes this input.
  if (process.env['PREKRAFT_TIED'] === '1') process.stdin.on('end', () => process.exit(1)).resume()
  if (file === undefined) fail('Usage: zookeeper <zookeeper.properties>')
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    fail(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
  }
  const logger = createLogger({ level: 'info', name: 'zookeeper' })
  let config: ReturnType<typeof parseZooKeeperConfig>
  try {
    config = parseZooKeeperConfig(parseProperties(text))
  } catch (error) {
    fail(`${file}: ${(error as Error).message}`)
  }
  const { host = '', port = 2181 } = config.options
  const dataDir = resolve(config.options.dataDir!)
  for (const key of config.warnings) logger.warn({ key }, 'this key has no effect')
  try {
    await lockDirectory(dataDir)
    let server: RunningZooKeeperServer | undefined
    let isToStop = false
    // While it starts it ends as soon as it has.
    const stop = (): void => {
      isToStop = true
      void server?.close().then(() => process.exit(0))
    }
    process.once('SIGTERM', stop)
    process.once('SIGINT', stop)
    onHangup(stop)
    server = await startZooKeeperServer(realEnvironment(), {
      ...config.options,
      dataDir,
      logger,
      onFailure: (error) => fail(`The transaction log in ${dataDir} cannot be written: ${error.message}`),
    })
    if (isToStop) stop()
  } catch (error) {
    fail(explain(error, { host, port, dataDir }))
  }
}

void main(process.argv[2])
