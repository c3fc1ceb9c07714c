import { ConfigError } from '../protocol/rules/config-values'
import { ANONYMOUS, ClientQuotas } from './quota/client-quotas'
import { ConnectionRates } from './quota/connection-rates'
import type { BrokerConfig } from '../protocol/rules/config-definition'
import type { ClientConfigEntity } from '../zk-schema/operations/client-configs'
import type { Logger } from '../runtime/log'
import type { Clock, Net } from '../runtime/ports'
import type { DynamicBrokerConfig } from './config/dynamic-broker-config'
import type { KafkaConfig } from './config/kafka-config'
import type { ListenerRates } from './quota/connection-rates'
import type { SampleWindow } from './quota/sampled-rate'
import type { RequestMeter } from './server/request-meter'

const CREATION_RATE = 'max.connection.creation.rate'
const CONNECTION_RATE = 'connection_creation_rate'

/** The quotas of clients, users and addresses, and what keeps them as ZooKeeper and the broker's keys say. */
export class QuotaPart {
  readonly clients: ClientQuotas
  readonly connections: ConnectionRates
  /** Counts the time of requests. */
  readonly meter: RequestMeter
  private readonly net: Net
  private readonly logger: Logger
  /** The address of an entity that is named by a host. */
  private readonly addresses = new Map<string, string>()

  constructor(options: { clock: Clock; net: Net; config: KafkaConfig; dynamic: DynamicBrokerConfig; logger: Logger }) {
    const { clock, config, dynamic } = options
    const { values } = config
    this.net = options.net
    this.logger = options.logger
    const client = windowOf(values, 'quota')
    this.clients = new ClientQuotas(clock, { client, controller: windowOf(values, 'controller.quota') })
    this.connections = new ConnectionRates(clock, client)
    const setRates = (): void => this.connections.setListenerRates(listenerRates(config))
    setRates()
    dynamic.onChange(setRates)
    dynamic.add({
      keys: [CREATION_RATE, ...config.listeners.listeners.map(({ listenerName }) => listenerKey(listenerName))],
      validate: (next) => checkRates(next, config),
    })
    this.meter = meterOf(clock, this.clients)
  }

  /** Obeys what is configured for one entity; nothing, if its configuration is empty. */
  take(entity: ClientConfigEntity, config: ReadonlyMap<string, string>): void {
    const { name } = entity
    let bad: string[] = []
    if (entity.type === 'clients') bad = this.clients.set({ clientId: name }, config)
    else if (entity.type === 'ips') bad = this.takeAddress(name, config.get(CONNECTION_RATE))
    else if (entity.clientId === undefined) bad = this.clients.set({ user: name }, config)
    else bad = this.clients.set({ user: name, clientId: entity.clientId }, config)
    if (bad.length > 0) this.logger.error({ entity, keys: bad }, 'quotas that are no numbers are ignored')
  }

  private takeAddress(name: string | null, text: string | undefined): string[] {
    const rate = text === undefined ? undefined : Number(text)
    if (rate !== undefined && !(rate >= 0)) return [CONNECTION_RATE]
    if (name === null) {
      this.connections.setAddressRate(null, rate)
      return []
    }
    const known = this.addresses.get(name)
    if (rate === undefined) {
      this.addresses.delete(name)
      this.connections.setAddressRate(known ?? name, undefined)
      return []
    }
    this.connections.setAddressRate(known ?? name, rate)
    if (known === undefined && !/^[\d.]+$|:/.test(name)) this.resolve(name, rate)
    return []
  }

  private resolve(name: string, rate: number): void {
    this.addresses.set(name, name)
    void this.net.lookup(name).then((address) => {
      // Removed meanwhile, or changed, which is no matter: the entity is read again from time to time.
      if (address === undefined || this.addresses.get(name) !== name) return
      this.addresses.set(name, address)
      this.connections.setAddressRate(name, undefined)
      this.connections.setAddressRate(address, rate)
    })
  }
}

function windowOf(values: BrokerConfig, prefix: string): SampleWindow {
  return { samples: values.number(`${prefix}.window.num`), sampleMs: values.number(`${prefix}.window.size.seconds`) * 1000 }
}

function listenerKey(listenerName: string): string {
  return `listener.name.${listenerName.toLowerCase()}.${CREATION_RATE}`
}

/** What holds for the broker holds for each listener too that has no rate of its own, as in Kafka. */
function listenerRates({ values, listeners }: KafkaConfig): ListenerRates {
  const broker = values.number(CREATION_RATE)
  const rateOf = (listenerName: string): number => {
    const own = Number(values.given[listenerKey(listenerName)])
    return Number.isNaN(own) ? broker : own
  }
  return { broker, listeners: new Map(listeners.listeners.map(({ listenerName }) => [listenerName, rateOf(listenerName)])) }
}

function checkRates(next: BrokerConfig, { listeners }: KafkaConfig): void {
  const own = listeners.listeners.map(({ listenerName }) => next.given[listenerKey(listenerName)])
  for (const rate of [next.number(CREATION_RATE), ...own.filter((text) => text !== undefined).map(Number)]) {
    if (rate <= 0) throw new ConfigError(`Invalid ${CREATION_RATE} ${rate}`, CREATION_RATE)
  }
}

/** A millisecond within a second is a tenth of a per cent. */
const PER_CENT_PER_MS = 0.1

function meterOf(clock: Clock, { time }: ClientQuotas): RequestMeter {
  return {
    get isOn() {
      return time.isOn
    },
    nowMs: () => clock.monoMs(),
    charge: (clientId, tookMs) => time.record(ANONYMOUS, clientId, tookMs * PER_CENT_PER_MS),
    add: (clientId, tookMs) => time.add(ANONYMOUS, clientId, tookMs * PER_CENT_PER_MS),
  }
}
