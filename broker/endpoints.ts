import type { BrokerEndpoint } from '../zk-schema/brokers'
import type { Listeners } from '../protocol/rules/listeners'

/**
 * What the broker tells others: advertised.listeners, else the listeners themselves; a host that is not given is this
 * machine's name, a port 0 the one that was got.
 */
export function advertisedEndpoints(
  listeners: Listeners,
  portOf: (listenerName: string) => number,
  hostName: string,
): BrokerEndpoint[] {
  return listeners.advertised.map(({ listenerName, securityProtocol, host, port }) => ({
    listenerName,
    securityProtocol,
    host: host ?? hostName,
    port: port === 0 ? portOf(listenerName) : port,
  }))
}
