import { decodeJson, encodeJson, ZnodeFormatError } from './znode-json'

export const brokersPath = '/brokers'
/** Persistent, null data; its children are the live brokers. */
export const brokerIdsPath = '/brokers/ids'
/** Persistent, empty; the version after a set is the next generated broker id, less reserved.broker.max.id. */
export const brokerSequenceIdPath = '/brokers/seqid'

/** Ephemeral; its czxid is the broker epoch (KIP-380). */
export function brokerIdPath(brokerId: number): string {
  return `${brokerIdsPath}/${brokerId}`
}

export interface BrokerEndpoint {
  listenerName: string
  securityProtocol: string
  host: string
  port: number
}

export interface SupportedFeature {
  minVersion: number
  maxVersion: number
}

/** What a broker tells about itself in `/brokers/ids/<id>`. */
export interface BrokerRegistration {
  brokerId: number
  endpoints: BrokerEndpoint[]
  rack: string | null
  jmxPort: number
  timestampMs: number
  features: Record<string, SupportedFeature>
}

/** 5 from inter.broker.protocol.version 2.7-IV0 on, 4 from 0.10.0-IV1, else 2 (KAFKA-3100: 0.9 breaks on more). */
export type BrokerVersion = 2 | 4 | 5

/** `host` and `port` repeat the first PLAINTEXT endpoint for readers of version 1; without one they are null and -1. */
export function encodeBroker(broker: BrokerRegistration, version: BrokerVersion = 5): Buffer {
  const plaintext = broker.endpoints.find((endpoint) => endpoint.securityProtocol === 'PLAINTEXT')
  const protocols = Object.fromEntries(broker.endpoints.map((endpoint) => [endpoint.listenerName, endpoint.securityProtocol]))
  const features = Object.entries(broker.features).map(([name, range]) => [
    name,
    { min_version: range.minVersion, max_version: range.maxVersion },
  ])
  return encodeJson({
    ...(version >= 5 ? { features: Object.fromEntries(features) } : {}),
    ...(version >= 4 ? { listener_security_protocol_map: protocols } : {}),
    endpoints: broker.endpoints.map(formatEndpoint),
    ...(version >= 3 && broker.rack !== null ? { rack: broker.rack } : {}),
    jmx_port: broker.jmxPort,
    port: plaintext?.port ?? -1,
    host: plaintext?.host ?? null,
    version,
    timestamp: String(broker.timestampMs),
  })
}

/** Reads every version since 1. Throws ZnodeFormatError. */
export function decodeBroker(brokerId: number, data: Buffer | null): BrokerRegistration {
  const path = brokerIdPath(brokerId)
  const json = decodeJson(path, data)
  const version = json.int('version')
  if (version < 1) throw json.complaint('version', 'a version of a broker registration')
  const protocols = json.object('listener_security_protocol_map')
  // Before version 4 a listener is named after its protocol.
  const protocolOf = (name: string): string => (protocols.has(name) ? protocols.string(name) : name)
  const endpoints =
    version === 1
      ? [{ listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: json.string('host'), port: json.int('port') }]
      : json.strings('endpoints').map((text) => parseEndpoint(path, text, protocolOf))
  const features = json.object('features')
  return {
    brokerId,
    endpoints,
    rack: json.has('rack') ? json.string('rack') : null,
    jmxPort: json.int('jmx_port', -1),
    timestampMs: json.long('timestamp', -1),
    features: Object.fromEntries(
      features.keys().map((name) => {
        const range = features.object(name)
        return [name, { minVersion: range.int('min_version'), maxVersion: range.int('max_version') }]
      }),
    ),
  }
}

/** `LISTENER://host:port`, an IPv6 host in brackets. */
export function formatEndpoint({ listenerName, host, port }: BrokerEndpoint): string {
  return `${listenerName}://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`
}

function parseEndpoint(path: string, text: string, protocolOf: (listenerName: string) => string): BrokerEndpoint {
  const match = /^(.*):\/\/\[?([0-9a-zA-Z\-%._:]*)\]?:(-?\d{1,10})$/.exec(text)
  if (match === null) throw new ZnodeFormatError(path, `${JSON.stringify(text)} is not an endpoint`)
  const listenerName = match[1]!.toUpperCase()
  return { listenerName, securityProtocol: protocolOf(listenerName), host: match[2]!, port: Number(match[3]) }
}
