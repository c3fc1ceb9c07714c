/**
 * Listeners: `NAME://host:port` lists, the security protocol of each name, and which of them brokers and controllers use.
 */
import type { BrokerConfig } from './config-definition'
import { ConfigError } from './config-values'

export const securityProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const
export type SecurityProtocol = (typeof securityProtocols)[number]

/** The numbers of the protocols in znodes and in UpdateMetadata. */
export const securityProtocolIds: Readonly<Record<SecurityProtocol, number>> = {
  PLAINTEXT: 0, SSL: 1, SASL_PLAINTEXT: 2, SASL_SSL: 3,
}

export interface EndPoint {
  /** Upper case. */
  listenerName: string
  securityProtocol: SecurityProtocol
  /** null binds to all addresses. */
  host: string | null
  port: number
}

/** `NAME://host:port`, an IPv6 address in brackets. */
export function formatEndPoint({ listenerName, host, port }: EndPoint): string {
  return `${listenerName}://${host === null ? '' : host.includes(':') ? `[${host}]` : host}:${port}`
}

/** The protocol of each listener name. Throws ConfigError. */
export function parseSecurityProtocolMap(key: string, text: string): Map<string, SecurityProtocol> {
  const map = new Map<string, SecurityProtocol>()
  for (const pair of text.split(',').map((each) => each.trim()).filter((each) => each !== '')) {
    const colon = pair.lastIndexOf(':')
    if (colon < 0) {
      throw new ConfigError(`Error parsing configuration property '${key}': ${pair} is not of the form NAME:PROTOCOL`, key)
    }
    map.set(pair.slice(0, colon).trim().toUpperCase(), securityProtocol(key, pair.slice(colon + 1).trim()))
  }
  return map
}

function securityProtocol(key: string, name: string): SecurityProtocol {
  const protocol = securityProtocols.find((each) => each === name.toUpperCase())
  if (protocol !== undefined) return protocol
  const names = securityProtocols.join(', ')
  throw new ConfigError(`Invalid security protocol \`${name}\` defined in ${key}; it is one of ${names}`, key)
}

const endPointForm = /^(.*):\/\/\[?([0-9a-zA-Z\-%._:]*)\]?:(-?[0-9]+)$/

/** The end points of a list. Throws ConfigError. */
export function parseEndPoints(
  key: string,
  text: string,
  protocols: ReadonlyMap<string, SecurityProtocol>,
  distinctPorts: boolean,
): EndPoint[] {
  const problem = (detail: string) => new ConfigError(`Error creating broker listeners from '${text}': ${detail}`, key)
  const endPoints = text.split(',').map((each) => each.trim()).filter((each) => each !== '').map((entry) => {
    const match = endPointForm.exec(entry)
    if (match === null) throw problem(`Unable to parse ${entry} to a broker endpoint; it has the form NAME://host:port`)
    const listenerName = (match[1] as string).toUpperCase()
    const protocol = protocols.get(listenerName)
    if (protocol === undefined) {
      throw problem(`No security protocol defined for listener ${listenerName} (listener.security.protocol.map names them)`)
    }
    const port = Number(match[3])
    if (port < 0 || port > 65535) throw problem(`${port} is not a port`)
    return { listenerName, securityProtocol: protocol, host: match[2] === '' ? null : (match[2] as string), port }
  })
  if (new Set(endPoints.map((each) => each.listenerName)).size < endPoints.length) {
    throw new ConfigError(`Each listener must have a different name, listeners: ${text}`, key)
  }
  if (distinctPorts) checkPorts(key, text, endPoints)
  return endPoints
}

/** Ports differ, but for one IPv4 and one IPv6 address on the same one. */
function checkPorts(key: string, text: string, endPoints: readonly EndPoint[]): void {
  const byPort = new Map<number, EndPoint[]>()
  for (const each of endPoints) if (each.port !== 0) byPort.set(each.port, [...(byPort.get(each.port) ?? []), each])
  for (const [port, same] of byPort) {
    if (same.length === 1) continue
    const families = same.map(({ host }) => (host === null ? 0 : addressFamily(host)))
    if (same.length === 2 && families.includes(4) && families.includes(6)) continue
    if (families.includes(0)) throw new ConfigError(`Each listener must have a different port, listeners: ${text}`, key)
    throw new ConfigError(
      'If you have two listeners on the same port then one needs to be IPv4 and the other IPv6, '
      + `listeners: ${text}, port: ${port}`, key)
  }
}

/** 4, 6, or 0 for a name. */
function addressFamily(host: string): 0 | 4 | 6 {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(host)) return 4
  return host.includes(':') ? 6 : 0
}

/** The listeners of a broker. */
export interface Listeners {
  readonly listeners: readonly EndPoint[]
  readonly advertised: readonly EndPoint[]
  readonly interBrokerName: string
  readonly interBrokerProtocol: SecurityProtocol
  /** undefined where controllers use the inter-broker listener. */
  readonly controlPlaneName: string | undefined
}

/** Works out and checks the listeners of a configuration. Throws ConfigError. */
export function listenersOf(config: BrokerConfig): Listeners {
  const protocols = parseSecurityProtocolMap('listener.security.protocol.map', config.string('listener.security.protocol.map'))
  const listeners = parseEndPoints('listeners', config.string('listeners'), protocols, true)
  const advertisedText = config.stringOrNull('advertised.listeners')
  const advertised = advertisedText === null
    ? listeners
    : parseEndPoints('advertised.listeners', advertisedText, protocols, false)
  const names = listeners.map((each) => each.listenerName)
  const advertisedNames = advertised.map((each) => each.listenerName)
  const interBroker = interBrokerListener(config, protocols)
  if (advertised.length === 0) {
    throw new ConfigError('There must be at least one broker advertised listener.', 'advertised.listeners')
  }
  if (!advertisedNames.includes(interBroker.name)) {
    throw new ConfigError(
      'inter.broker.listener.name must be a listener name defined in advertised.listeners. '
      + `The valid options based on currently configured listeners are ${advertisedNames.join(',')}`,
      'inter.broker.listener.name')
  }
  if (!advertisedNames.every((each) => names.includes(each))) {
    throw new ConfigError(
      'advertised.listeners listener names must be equal to or a subset of the ones defined in listeners. '
      + `Found ${advertisedNames.join(',')}. The valid options based on the current configuration are ${names.join(',')}`,
      'advertised.listeners')
  }
  if (advertised.some((each) => each.host === '0.0.0.0')) {
    throw new ConfigError(
      'advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.', 'advertised.listeners')
  }
  return {
    listeners,
    advertised,
    interBrokerName: interBroker.name,
    interBrokerProtocol: interBroker.protocol,
    controlPlaneName: controlPlaneListener(config, protocols, advertisedNames, interBroker.name),
  }
}

function interBrokerListener(config: BrokerConfig, protocols: ReadonlyMap<string, SecurityProtocol>) {
  const given = config.stringOrNull('inter.broker.listener.name')
  if (given === null) {
    const protocol = securityProtocol('security.inter.broker.protocol', config.string('security.inter.broker.protocol'))
    return { name: protocol as string, protocol }
  }
  if (config.isGiven('security.inter.broker.protocol')) {
    throw new ConfigError(
      'Only one of inter.broker.listener.name and security.inter.broker.protocol should be set.', 'inter.broker.listener.name')
  }
  const name = given.toUpperCase()
  const protocol = protocols.get(name)
  if (protocol === undefined) {
    throw new ConfigError(
      `Listener with name ${name} defined in inter.broker.listener.name not found in listener.security.protocol.map.`,
      'inter.broker.listener.name')
  }
  return { name, protocol }
}

function controlPlaneListener(
  config: BrokerConfig,
  protocols: ReadonlyMap<string, SecurityProtocol>,
  advertisedNames: readonly string[],
  interBrokerName: string,
): string | undefined {
  const key = 'control.plane.listener.name'
  const given = config.stringOrNull(key)
  if (given === null) return undefined
  const name = given.toUpperCase()
  if (!protocols.has(name)) {
    throw new ConfigError(`Listener with ${name} defined in ${key} not found in listener.security.protocol.map.`, key)
  }
  if (!advertisedNames.includes(name)) {
    throw new ConfigError(
      `${key} must be a listener name defined in advertised.listeners. `
      + `The valid options based on currently configured listeners are ${advertisedNames.join(',')}`, key)
  }
  if (name === interBrokerName) {
    throw new ConfigError(
      `${key}, when defined, should have a different value from the inter broker listener name. `
      + `Currently they both have the value ${name}`, key)
  }
  return name
}
