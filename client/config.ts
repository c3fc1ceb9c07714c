import type { Assignor } from './group/assignors/assignor'
import type { ConsumerInterceptor } from './consumer/interceptors'
import type { ProducerInterceptor } from './producer/interceptors'

/**
 * The clients' configuration, by Kafka's names. Values may be what they mean (numbers, booleans, lists) or text as a properties
 * file holds it.
 */

export type ConfigValue = string | number | boolean | readonly (string | object)[] | null | undefined

export interface CommonConfig {
  'bootstrap.servers'?: ConfigValue
  'client.id'?: ConfigValue
  'request.timeout.ms'?: ConfigValue
  'default.api.timeout.ms'?: ConfigValue
  'metadata.max.age.ms'?: ConfigValue
  'retry.backoff.ms'?: ConfigValue
  'retry.backoff.max.ms'?: ConfigValue
  'reconnect.backoff.ms'?: ConfigValue
  'socket.connection.setup.timeout.ms'?: ConfigValue
  [key: string]: ConfigValue
}

export type AdminConfig = CommonConfig

export interface ProducerConfig extends CommonConfig {
  acks?: ConfigValue
  'batch.size'?: ConfigValue
  'linger.ms'?: ConfigValue
  'buffer.memory'?: ConfigValue
  'max.block.ms'?: ConfigValue
  'compression.type'?: ConfigValue
  'delivery.timeout.ms'?: ConfigValue
  'enable.idempotence'?: ConfigValue
  'max.in.flight.requests.per.connection'?: ConfigValue
  'max.request.size'?: ConfigValue
  'transactional.id'?: ConfigValue
  'transaction.timeout.ms'?: ConfigValue
  'partitioner.ignore.keys'?: ConfigValue
  'partitioner.adaptive.partitioning.enable'?: ConfigValue
  /** Objects, not names of classes. */
  'interceptor.classes'?: readonly ProducerInterceptor[] | null | undefined
  retries?: ConfigValue
}

export interface ConsumerConfig extends CommonConfig {
  'group.id'?: ConfigValue
  /** Makes the member static (KIP-345). */
  'group.instance.id'?: ConfigValue
  'session.timeout.ms'?: ConfigValue
  'heartbeat.interval.ms'?: ConfigValue
  'max.poll.interval.ms'?: ConfigValue
  /** Names (`range`, `roundrobin`, `sticky`, `cooperative-sticky`, or Kafka's classes), or objects of one's own. */
  'partition.assignment.strategy'?: string | readonly (string | Assignor)[] | null | undefined
  'enable.auto.commit'?: ConfigValue
  'auto.commit.interval.ms'?: ConfigValue
  'exclude.internal.topics'?: ConfigValue
  'client.rack'?: ConfigValue
  /** Objects, not names of classes. */
  'interceptor.classes'?: readonly ConsumerInterceptor[] | null | undefined
  'auto.offset.reset'?: ConfigValue
  'fetch.max.bytes'?: ConfigValue
  'fetch.max.wait.ms'?: ConfigValue
  'fetch.min.bytes'?: ConfigValue
  'isolation.level'?: ConfigValue
  'max.partition.fetch.bytes'?: ConfigValue
  'max.poll.records'?: ConfigValue
  'allow.auto.create.topics'?: ConfigValue
  'check.crcs'?: ConfigValue
}

/** A value that its key cannot have. The message is Kafka's ConfigException's. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code = 'CONFIG'
}

const MOST = Number.MAX_SAFE_INTEGER

/** Reads values by key, with Kafka's defaults and complaints. */
export class ConfigReader {
  private readonly config: CommonConfig

  constructor(config: CommonConfig) {
    this.config = config
  }

  whole(key: string, fallback: number, low: number, high = MOST): number {
    const value = this.config[key]
    if (value === undefined || value === null) return fallback
    const number = typeof value === 'number' ? value : Number(String(value).trim() || 'x')
    if (!Number.isInteger(number))
      throw new ConfigError(`Invalid value ${String(value)} for configuration ${key}: Not a number of type INT`)
    if (number < low) throw new ConfigError(`Invalid value ${number} for configuration ${key}: Value must be at least ${low}`)
    if (number > high)
      throw new ConfigError(`Invalid value ${number} for configuration ${key}: Value must be no more than ${high}`)
    return number
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.config[key]
    if (value === undefined || value === null) return fallback
    const text = String(value).trim().toLowerCase()
    if (text === 'true') return true
    if (text === 'false') return false
    throw new ConfigError(`Invalid value ${String(value)} for configuration ${key}: Expected value to be either true or false`)
  }

  text(key: string, fallback: string): string {
    const value = this.config[key]
    return value === undefined || value === null ? fallback : String(value).trim()
  }

  choice<T extends string>(key: string, fallback: T, choices: readonly T[]): T {
    const value = this.text(key, fallback) as T
    if (choices.includes(value)) return value
    throw new ConfigError(`Invalid value ${value} for configuration ${key}: String must be one of: ${choices.join(', ')}`)
  }

  /** `host:port` pairs; IPv6 hosts in brackets, `NAME://` in front is passed over. */
  bootstrapServers(): { host: string; port: number }[] {
    const value = this.config['bootstrap.servers']
    const parts = Array.isArray(value) ? (value as string[]) : String(value ?? '').split(',')
    const servers = parts
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map((part) => {
        const match = /^(?:[A-Za-z_]+:\/\/)?(?:\[([^\]]+)\]|([^:\s]+)):(\d+)$/.exec(part)
        const port = Number(match?.[3])
        if (match === null || port > 65535) throw new ConfigError(`Invalid url in bootstrap.servers: ${part}`)
        return { host: (match[1] ?? match[2])!, port }
      })
    if (servers.length === 0) throw new ConfigError('No resolvable bootstrap urls given in bootstrap.servers')
    return servers
  }
}

export interface ClientSettings {
  bootstrapServers: { host: string; port: number }[]
  clientId: string
  requestTimeoutMs: number
  apiTimeoutMs: number
  metadataMaxAgeMs: number
  retryBackoffMs: number
  retryBackoffMaxMs: number
  connectTimeoutMs: number
}

export function clientSettings(config: CommonConfig, defaultClientId: string): ClientSettings {
  const read = new ConfigReader(config)
  // What would be silently insecure if it were ignored.
  if (read.text('security.protocol', 'PLAINTEXT') !== 'PLAINTEXT') {
    throw new ConfigError(
      `Invalid value ${read.text('security.protocol', '')} for configuration security.protocol: only PLAINTEXT is supported`,
    )
  }
  return {
    bootstrapServers: read.bootstrapServers(),
    clientId: read.text('client.id', defaultClientId),
    requestTimeoutMs: read.whole('request.timeout.ms', 30_000, 0),
    apiTimeoutMs: read.whole('default.api.timeout.ms', 60_000, 0),
    metadataMaxAgeMs: read.whole('metadata.max.age.ms', 300_000, 0),
    retryBackoffMs: read.whole('retry.backoff.ms', 100, 0),
    retryBackoffMaxMs: read.whole('retry.backoff.max.ms', 1000, 0),
    connectTimeoutMs: read.whole('socket.connection.setup.timeout.ms', 10_000, 1),
  }
}
