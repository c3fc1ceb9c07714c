import {
  ConfigError,
  maxSegmentMs,
  timestampAfterMaxMs,
  timestampBeforeMaxMs,
  topicConfig,
  topicDefaults,
} from '../../protocol/rules/topic-config'
import type { BrokerConfig } from '../../protocol/rules/config-definition'
import type { TopicConfig } from '../../protocol/rules/topic-config'
import type { Logger } from '../../runtime/log'
import type { KafkaConfig } from './kafka-config'

export type Overrides = Readonly<Record<string, string>>

const NO_OVERRIDES: Overrides = Object.freeze({})

/**
 * The configuration of all topics: what `/config/topics/<topic>` says over what this broker's own keys say. Fed by
 * ConfigListener; a value that cannot be one is logged, and the previous configuration stays.
 */
export class TopicConfigStore {
  /** As the logs obey it: several keys that mean one thing are already worked out. */
  defaults: TopicConfig
  private ownDefaults: TopicConfig
  private readonly logger: Logger
  private readonly byTopic = new Map<string, { overrides: Overrides; config: TopicConfig }>()
  /** Of which it is known that they set nothing. */
  private readonly plain = new Set<string>()
  private readonly listeners: ((topic: string, config: TopicConfig) => void)[] = []

  constructor(config: KafkaConfig, logger: Logger) {
    this.ownDefaults = topicDefaults(config.values)
    this.defaults = effective(this.ownDefaults)
    this.logger = logger
  }

  /** The broker's own keys have other values now: what topics do not say themselves changes. Nobody is told topic by topic. */
  reconfigure(values: BrokerConfig): void {
    this.ownDefaults = topicDefaults(values)
    this.defaults = effective(this.ownDefaults)
    for (const [topic, { overrides }] of this.byTopic) {
      this.byTopic.set(topic, { overrides, config: effective(topicConfig(overrides, this.ownDefaults)) })
    }
  }

  of(topic: string): TopicConfig {
    return this.byTopic.get(topic)?.config ?? this.defaults
  }

  /** What the topic itself sets. */
  overridesOf(topic: string): Overrides {
    return this.byTopic.get(topic)?.overrides ?? NO_OVERRIDES
  }

  /** Whether ZooKeeper was asked about this topic. */
  has(topic: string): boolean {
    return this.byTopic.has(topic) || this.plain.has(topic)
  }

  onChange(listener: (topic: string, config: TopicConfig) => void): void {
    this.listeners.push(listener)
  }

  /** Takes what the znode says; undefined: there is no such topic. */
  replace(topic: string, overrides: Overrides | undefined): void {
    const current = this.byTopic.get(topic)
    if (overrides === undefined) this.plain.delete(topic)
    if (overrides === undefined || Object.keys(overrides).length === 0) {
      if (overrides !== undefined) this.plain.add(topic)
      if (current === undefined) return
      this.byTopic.delete(topic)
      this.notify(topic)
      return
    }
    if (current !== undefined && sameOverrides(current.overrides, overrides)) return
    const valid = this.validOf(topic, overrides)
    if (valid !== overrides && current !== undefined) return
    this.plain.delete(topic)
    // At the start there is no previous one, and the defaults alone might delete what was to be compacted.
    this.byTopic.set(topic, { overrides: { ...valid }, config: effective(topicConfig(valid, this.ownDefaults)) })
    this.notify(topic)
  }

  /** The same object if all of it makes sense. */
  private validOf(topic: string, overrides: Overrides): Overrides {
    const valid: Record<string, string> = Object.create(null)
    let isWhole = true
    for (const [name, text] of Object.entries(overrides)) {
      try {
        topicConfig({ [name]: text }, this.ownDefaults)
        valid[name] = text
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        isWhole = false
        const report = { topic, key: name, reason: error.message }
        this.logger.error(report, 'the configuration of a topic in ZooKeeper is invalid; the previous one stays, or the rest is used')
      }
    }
    return isWhole ? overrides : valid
  }

  /** Forgets the topics that are not among these. */
  retain(topics: ReadonlySet<string>): void {
    for (const topic of [...this.byTopic.keys(), ...this.plain]) if (!topics.has(topic)) this.replace(topic, undefined)
  }

  private notify(topic: string): void {
    const config = this.of(topic)
    for (const listener of this.listeners) listener(topic, config)
  }
}

function effective(config: TopicConfig): TopicConfig {
  return {
    ...config,
    segmentMs: maxSegmentMs(config),
    messageTimestampBeforeMaxMs: timestampBeforeMaxMs(config),
    messageTimestampAfterMaxMs: timestampAfterMaxMs(config),
  }
}

function sameOverrides(a: Overrides, b: Overrides): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}
