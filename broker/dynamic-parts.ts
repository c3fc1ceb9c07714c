import { ConfigError } from '../protocol/rules/config-values'
import { topicKeys } from '../protocol/rules/topic-config'
import { listeners } from './dynamic-listeners'
import { cleanerConfig, maxConnectionsKey, socketServerOptions } from './part-options'
import type { BrokerConfig } from '../protocol/rules/config-definition'
import type { Controller } from '../controller/controller'
import type { DynamicBrokerConfig, Reconfigurable } from './config/dynamic-broker-config'
import type { TopicConfigStore } from './config/topic-config-store'
import type { LogManager } from './log/log-manager'
import type { ReplicaManager } from './replica/replica-manager'
import type { ListenerParts } from './dynamic-listeners'

export interface DynamicParts extends ListenerParts {
  topicConfigs: TopicConfigStore
  logs: LogManager
  replicas: ReplicaManager
  controller: Controller
}

/** Tells the parts of a running broker what changes for them (Kafka's BrokerReconfigurables). */
export function addDynamicParts(dynamic: DynamicBrokerConfig, parts: DynamicParts): void {
  dynamic.add(topicDefaults(parts))
  dynamic.add(listeners(parts))
  dynamic.add(connectionLimits(parts))
  dynamic.add(producerState(parts))
  dynamic.add(threadCounts(parts))
  dynamic.add(cleaner(parts))
}

/** The keys that feed a topic's keys. */
const TOPIC_DEFAULTS = [...topicKeys.values()].flatMap(({ synonyms }) => synonyms)

/** What topics have where they say nothing themselves; in force before the logs are opened. */
export function addTopicDefaults(dynamic: DynamicBrokerConfig, topicConfigs: TopicConfigStore): void {
  dynamic.add({ keys: TOPIC_DEFAULTS, validate: checkLocalRetention, reconfigure: (next) => topicConfigs.reconfigure(next) })
}

function topicDefaults({ topicConfigs, logs, controller }: DynamicParts): Reconfigurable {
  const key = 'unclean.leader.election.enable'
  return {
    keys: TOPIC_DEFAULTS,
    reconfigure: (next, previous) => {
      logs.reconfigureDefaults(topicConfigs.defaults)
      // Partitions without a leader may get one now.
      if (next.boolean(key) && !previous.boolean(key)) controller.enableUncleanLeaderElection()
    },
  }
}

/** Tiered storage is not there, and still its keys have to make sense. */
function checkLocalRetention(next: BrokerConfig, _current: BrokerConfig): void {
  for (const [key, local, whole] of [
    ['log.retention.ms', 'log.local.retention.ms', next.numberOrNull('log.retention.ms') ?? -1],
    ['log.retention.bytes', 'log.local.retention.bytes', next.number('log.retention.bytes')],
  ] as const) {
    const value = next.number(local)
    if (whole === -1 || value === -2) continue
    if (value === -1) throw ConfigError.value(local, '-1', `Value must not be -1 as ${key} value is set as ${whole}.`)
    if (value > whole) throw ConfigError.value(local, String(value), `Value must not be more than ${key} property value: ${whole}`)
  }
}

function connectionLimits({ config, server }: DynamicParts): Reconfigurable {
  return {
    // Listeners come and go, and each has its own.
    get keys() {
      const ofListeners = config.listeners.listeners.map(({ listenerName }) => maxConnectionsKey(listenerName))
      return ['listeners', 'max.connections', 'max.connections.per.ip', 'max.connections.per.ip.overrides', ...ofListeners]
    },
    reconfigure: () => server.reconfigureLimits(socketServerOptions(config)),
  }
}

function producerState({ logs }: DynamicParts): Reconfigurable {
  return {
    keys: ['producer.id.expiration.ms', 'transaction.partition.verification.enable'],
    reconfigure: (next) =>
      logs.updateProducerSettings({
        producerIdExpirationMs: next.number('producer.id.expiration.ms'),
        transactionVerification: next.boolean('transaction.partition.verification.enable'),
      }),
  }
}

const THREAD_COUNTS = [
  'background.threads',
  'num.io.threads',
  'num.network.threads',
  'num.recovery.threads.per.data.dir',
  'num.replica.fetchers',
]

/** Kafka's limits hold for all of them; only the fetchers are something here. */
function threadCounts({ replicas }: DynamicParts): Reconfigurable {
  return {
    keys: THREAD_COUNTS,
    validate: (next, current) => {
      for (const key of THREAD_COUNTS) checkThreadCount(key, next.number(key), current.number(key))
    },
    reconfigure: (next, previous) => {
      const fetchers = next.number('num.replica.fetchers')
      if (fetchers !== previous.number('num.replica.fetchers')) replicas.resizeFetchers(fetchers)
    },
  }
}

function checkThreadCount(key: string, next: number, current: number): void {
  if (next === current) return
  const complaint = `Dynamic thread count update validation failed for ${key}=${next}, value should`
  if (next <= 0) throw new ConfigError(`${complaint} be at least 1`, key)
  if (next < Math.trunc(current / 2)) throw new ConfigError(`${complaint} be at least half the current value ${current}`, key)
  if (next > current * 2) throw new ConfigError(`${complaint} not be greater than double the current value ${current}`, key)
}

const CLEANER_THREADS = 'log.cleaner.threads'

function cleaner({ logs }: DynamicParts): Reconfigurable {
  return {
    keys: [
      'log.cleaner.backoff.ms',
      'log.cleaner.dedupe.buffer.size',
      'log.cleaner.io.buffer.load.factor',
      'log.cleaner.io.buffer.size',
      'log.cleaner.io.max.bytes.per.second',
      CLEANER_THREADS,
      'message.max.bytes',
    ],
    validate: (next, current) => {
      const [wanted, now] = [next.number(CLEANER_THREADS), current.number(CLEANER_THREADS)]
      if (wanted < 1) throw new ConfigError('Log cleaner threads should be at least 1', CLEANER_THREADS)
      if (wanted < Math.trunc(now / 2)) {
        throw new ConfigError(`Log cleaner threads cannot be reduced to less than half the current value ${now}`, CLEANER_THREADS)
      }
      if (wanted > now * 2) {
        const message = `Log cleaner threads cannot be increased to more than double the current value ${now}`
        throw new ConfigError(message, CLEANER_THREADS)
      }
    },
    reconfigure: (next) => logs.cleaner?.reconfigure(cleanerConfig(next)),
  }
}
