import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { checkBrokerConfig } from '../../protocol/rules/broker-config-checks'
import { BrokerConfig, isForeignKey } from '../../protocol/rules/config-definition'
import { ConfigError, canonicalConfigText } from '../../protocol/rules/config-values'
import { checkDynamicConfigs, definitionOf, overrideProperties } from '../../protocol/rules/dynamic-config-keys'
import { unsupportedKeys } from './supported-settings'
import type { Properties } from '../../protocol/rules/config-definition'
import type { Logger } from '../../runtime/log'
import type { KafkaConfig } from './kafka-config'

/** A part of the broker that can obey other values of some keys from now on. */
export interface Reconfigurable {
  readonly keys: readonly string[]
  /** Throws ConfigError if the part cannot go from one to the other. */
  validate?(next: BrokerConfig, current: BrokerConfig): void
  reconfigure?(next: BrokerConfig, previous: BrokerConfig): void
}

const NOT_SUPPORTED: ReadonlySet<string> = new Set(unsupportedKeys())

/**
 * Configuration of a running broker (KIP-226): what `/config/brokers/<id>` says over what `/config/brokers/<default>` says over
 * server.properties. Kafka's DynamicBrokerConfig, its checks and its words.
 */
export class DynamicBrokerConfig {
  private readonly config: KafkaConfig
  private readonly logger: Logger
  private readonly parts: Reconfigurable[] = []
  private readonly listeners: (() => void)[] = []

  constructor(config: KafkaConfig, logger: Logger) {
    this.config = config
    this.logger = logger
  }

  add(part: Reconfigurable): void {
    this.parts.push(part)
  }

  /** Called after every change of what is stored, for what no key of server.properties says. */
  onChange(listener: () => void): void {
    this.listeners.push(listener)
  }

  /** A key that can be set dynamically only: of this broker, else of all brokers. */
  dynamicText(name: string): string | undefined {
    return this.config.dynamicBroker[name] ?? this.config.dynamicDefault[name]
  }

  /**
   * Checks what this broker (`perBroker`), or all brokers, shall have set dynamically, all of it. What is `kept` was set before, perhaps
   * by a broker that can do more. Throws ProtocolError INVALID_REQUEST (KAFKA-13609) with Kafka's words.
   */
  validate(wanted: Properties, perBroker: boolean, kept: Properties = {}): void {
    try {
      checkDynamicConfigs(wanted, perBroker)
      const obeyed: Record<string, string> = Object.create(null)
      for (const [name, text] of Object.entries(wanted)) {
        const reason = whyNotSupported(name, text)
        if (reason !== undefined && kept[name] !== text) throw reason
        if (reason === undefined) obeyed[name] = text
      }
      this.nextValues(perBroker ? this.config.dynamicDefault : obeyed, perBroker ? obeyed : this.config.dynamicBroker)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      throw new ProtocolError(ErrorCode.INVALID_REQUEST, error.message)
    }
  }

  /** What of the stored values a change of others keeps: all that Kafka would, also what has no effect here. */
  kept(stored: Properties, perBroker: boolean): Record<string, string> {
    return this.without(stored, (name, text) => checkDynamicConfigs({ [name]: text }, perBroker))
  }

  /** What of the stored values can be obeyed: the others are an error in the log, as in Kafka. */
  usable(stored: Properties, perBroker: boolean): Record<string, string> {
    return this.without(stored, (name, text) => {
      checkDynamicConfigs({ [name]: text }, perBroker)
      const reason = whyNotSupported(name, text)
      if (reason !== undefined) throw reason
    })
  }

  private without(stored: Properties, check: (name: string, text: string) => void): Record<string, string> {
    const good: Record<string, string> = Object.create(null)
    for (const [name, text] of Object.entries(stored)) {
      try {
        check(name, text)
        good[name] = text
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        this.logger.error({ key: name, reason: error.message }, 'a dynamic configuration in ZooKeeper is ignored')
      }
    }
    return good
  }

  /** Obeys what ZooKeeper says of this broker (`perBroker`) or of all. What makes no sense is logged, and changes nothing. */
  take(stored: Properties, perBroker: boolean): void {
    const { config } = this
    const usable = this.usable(stored, perBroker)
    const forAll = perBroker ? config.dynamicDefault : usable
    const own = perBroker ? usable : config.dynamicBroker
    const previous = config.values
    let next: BrokerConfig
    let touched: Reconfigurable[]
    try {
      ;({ next, touched } = this.nextValues(forAll, own))
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      const entity = perBroker ? 'of this broker' : 'of all brokers'
      this.logger.error({ reason: error.message }, `the dynamic configuration ${entity} could not be applied`)
      return
    }
    config.reconfigure(next, forAll, own)
    for (const part of touched) part.reconfigure?.(next, previous)
    for (const listener of this.listeners) listener()
  }

  private nextValues(forAll: Properties, own: Properties): { next: BrokerConfig; touched: Reconfigurable[] } {
    const { config } = this
    const next = new BrokerConfig(overrideProperties(overrideProperties(config.staticValues.given, forAll), own))
    try {
      checkBrokerConfig(next, [])
    } catch (error) {
      if (!(error instanceof ConfigError) || error.message.startsWith('Invalid value')) throw error
      throw new ConfigError(`requirement failed: ${error.message}`, error.key)
    }
    const current = config.values
    const touched = this.parts.filter(({ keys }) => keys.some((key) => next.given[key] !== current.given[key]))
    try {
      for (const part of touched) part.validate?.(next, current)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      const cause = `org.apache.kafka.common.config.ConfigException: ${error.message}`
      throw new ConfigError(`Invalid value ${cause} for configuration Invalid dynamic configuration`, error.key)
    }
    return { next, touched }
  }
}

/** What would have no effect is refused. */
function whyNotSupported(name: string, text: string): ConfigError | undefined {
  const key = definitionOf(name)
  if (key === undefined || (!NOT_SUPPORTED.has(key.name) && !isForeignKey(key.name))) return undefined
  const byDefault = key.defaultText === null ? '' : canonicalConfigText(key.name, key.type, key.defaultText)
  if (canonicalConfigText(key.name, key.type, text) === byDefault) return undefined
  return new ConfigError(`${name} would have no effect: it is not supported yet`, name)
}
