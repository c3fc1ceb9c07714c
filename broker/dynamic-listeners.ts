import { ConfigError } from '../protocol/rules/config-values'
import { listenersOf } from '../protocol/rules/listeners'
import { advertisedEndpoints } from './endpoints'
import { socketServerOptions } from './part-options'
import type { Logger } from '../runtime/log'
import type { Reconfigurable } from './config/dynamic-broker-config'
import type { BrokerRegistrar } from './broker-registration'
import type { KafkaConfig } from './config/kafka-config'
import type { SocketServer } from './server/socket-server'

export interface ListenerParts {
  config: KafkaConfig
  server: SocketServer
  registrar: BrokerRegistrar
  /** What a listener without a host is known by. */
  hostName: string
  logger: Logger
}

/**
 * Listeners that come and go, and what the broker tells others of them (Kafka's DynamicListenerConfig). One that stays keeps its
 * port: it is known by its name.
 */
export function listeners({ config, server, registrar, hostName, logger }: ListenerParts): Reconfigurable {
  const change = async (): Promise<void> => {
    await server.reconfigureListeners(socketServerOptions(config).listeners)
    await registrar.update(advertisedEndpoints(config.listeners, (name) => server.portOf(name), hostName))
  }
  // One change at a time, in their order.
  let last = Promise.resolve()
  return {
    keys: ['listeners', 'advertised.listeners', 'listener.security.protocol.map'],
    validate: (next, current) => {
      const before = new Map(listenersOf(current).listeners.map((each) => [each.listenerName, each.securityProtocol]))
      for (const { listenerName, securityProtocol } of listenersOf(next).listeners) {
        const was = before.get(listenerName)
        if (was !== undefined && was !== securityProtocol) {
          throw new ConfigError(`Security protocol cannot be updated for existing listener ListenerName(${listenerName})`, 'listeners')
        }
        if (securityProtocol !== 'PLAINTEXT') {
          throw new ConfigError(`The listener ${listenerName} uses ${securityProtocol}, which is not supported yet: use PLAINTEXT`, 'listeners')
        }
      }
    },
    reconfigure: () => {
      last = last.then(change).catch((error: unknown) => {
        logger.error({ err: error }, 'the listeners could not be changed as configured')
      })
    },
  }
}
