import { brokerKeys } from '../../protocol/rules/config-definition'
import { ConfigError } from '../../protocol/rules/config-values'
import type { KafkaConfig } from './kafka-config'

/**
 * What would have no effect here, and whose silence would mislead: security first, then what limits or refuses. Each may be
 * set to its default only. (Numbers of threads, socket buffers and the like are other matters: a Node process has no use for
 * them.)
 */
const UNSUPPORTED = [
  /^ssl\./,
  /^sasl\./,
  /^delegation\.token\./,
  /^password\.encoder\./,
  /^zookeeper\.ssl\./,
  /^zookeeper\.clientCnxnSocket$/,
  /^zookeeper\.set\.acl$/,
  /^authorizer\.class\.name$/,
  /^principal\.builder\.class$/,
  /^security\.providers$/,
  /^connections\.max\.reauth\.ms$/,
  /^remote\.log\./,
  /^client\.quota\.callback\.class$/,
  /^create\.topic\.policy\.class\.name$/,
  /^alter\.config\.policy\.class\.name$/,
  /^metric\.reporters$/,
  /^kafka\.metrics\.reporters$/,
]

/** For parseBrokerConfig. */
export function unsupportedKeys(): string[] {
  return [...brokerKeys.keys()].filter((name) => UNSUPPORTED.some((pattern) => pattern.test(name)))
}

const REPLICA_SELECTORS = {
  leader: 'org.apache.kafka.common.replica.LeaderSelector',
  rackAware: 'org.apache.kafka.common.replica.RackAwareReplicaSelector',
}

export function isRackAware(config: KafkaConfig): boolean {
  return config.values.stringOrNull('replica.selector.class') === REPLICA_SELECTORS.rackAware
}

/** Values of supported keys that are not supported. Throws ConfigError. */
export function checkSupported(config: KafkaConfig): void {
  for (const { listenerName, securityProtocol } of config.listeners.listeners) {
    if (securityProtocol !== 'PLAINTEXT') {
      throw new ConfigError(
        `The listener ${listenerName} uses ${securityProtocol}, which is not supported yet: use PLAINTEXT`,
        'listeners',
      )
    }
  }
  const selector = config.values.stringOrNull('replica.selector.class')
  if (selector !== null && selector !== '' && !Object.values(REPLICA_SELECTORS).includes(selector)) {
    throw new ConfigError(
      `replica.selector.class is ${selector}; it may be ${Object.values(REPLICA_SELECTORS).join(' or ')}`,
      'replica.selector.class',
    )
  }
}
