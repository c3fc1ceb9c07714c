import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatProperties } from '../../protocol/files/properties'
import { HOST } from './ports'

/** A directory that is not ours to use; the message says why. */
export class DataDirectoryError extends Error {
  override readonly name = 'DataDirectoryError'
}

/** What one run leaves in its data directory: `zookeeper` and `broker-N`, and what the system puts everywhere. */
function isOurs(name: string): boolean {
  return name === 'zookeeper' || /^broker-\d+$/.test(name) || name.startsWith('.') || name === 'lost+found'
}

/** Creates the data directory, or makes sure that it is one of ours. Throws DataDirectoryError. */
export function openDataDirectory(directory: string): void {
  let names: string[]
  try {
    mkdirSync(directory, { recursive: true })
    names = readdirSync(directory)
  } catch (error) {
    throw new DataDirectoryError(problemWith(directory, error as NodeJS.ErrnoException))
  }
  const foreign = names.filter((name) => !isOurs(name))
  if (foreign.length === 0) return
  const some = foreign.slice(0, 3).join(', ')
  throw new DataDirectoryError(`${directory} holds other things (${some}). Name a new or an empty directory with --data.`)
}

function problemWith(path: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOSPC') return `The disk is full: ${path} cannot be written.`
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return `${path} cannot be written: no permission. Name another directory with --data.`
  if (code === 'ENOTDIR' || code === 'EEXIST') return `${path} is not a directory. Name another one with --data.`
  return `${path} cannot be used: ${message}.`
}

function write(path: string, entries: Record<string, string>, comment: string): string {
  try {
    writeFileSync(path, formatProperties(entries, [comment]))
  } catch (error) {
    throw new DataDirectoryError(problemWith(path, error as NodeJS.ErrnoException))
  }
  return path
}

function makeDirectory(path: string): string {
  try {
    mkdirSync(path, { recursive: true })
  } catch (error) {
    throw new DataDirectoryError(problemWith(path, error as NodeJS.ErrnoException))
  }
  return path
}

/** Writes zookeeper.properties; returns its path. */
export function writeZooKeeperProperties(dataDir: string, port: number): string {
  const directory = makeDirectory(join(dataDir, 'zookeeper'))
  const entries = {
    dataDir: join(directory, 'data'),
    clientPort: String(port),
    clientPortAddress: HOST,
    maxClientCnxns: '0',
    tickTime: '2000',
  }
  return write(join(directory, 'zookeeper.properties'), entries, 'Written at each start.')
}

export interface BrokerSettings {
  brokerId: number
  port: number
  brokers: number
  zookeeper: string
  overrides: Readonly<Record<string, string>>
  /** How many log directories it has; one, if left out. */
  logDirs?: number | undefined
}

function logDirs(directory: string, count: number): string {
  const first = join(directory, 'kafka-logs')
  return [first, ...Array.from({ length: count - 1 }, (_, i) => `${first}-${i + 2}`)].join(',')
}

/** Writes the broker's server.properties, with everything resolved: it comes back by this file alone. Returns its path. */
export function writeServerProperties(dataDir: string, settings: BrokerSettings): string {
  const directory = makeDirectory(join(dataDir, `broker-${settings.brokerId}`))
  const replicas = String(Math.min(3, settings.brokers))
  const entries = {
    'broker.id': String(settings.brokerId),
    listeners: `PLAINTEXT://${HOST}:${settings.port}`,
    'log.dirs': logDirs(directory, settings.logDirs ?? 1),
    'recording.dir': join(directory, 'recording'),
    'zookeeper.connect': settings.zookeeper,
    // A broker that dies is noticed after this time.
    'zookeeper.session.timeout.ms': '6000',
    'default.replication.factor': replicas,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': String(Math.min(2, settings.brokers)),
    'group.initial.rebalance.delay.ms': '0',
    ...settings.overrides,
  }
  return write(join(directory, 'server.properties'), entries, 'Written at each start of the cluster.')
}
