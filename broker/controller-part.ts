import { KafkaConnection } from '../network/kafka-connection'
import { Controller } from '../controller/controller'
import { describeTopicConfig } from './config/config-descriptions'
import type { ControllerConfig } from '../controller/config'
import type { ControlConnection } from '../controller/channel'
import type { Broker as RemoteBroker } from '../controller/context'
import type { Recorder } from '../recording/events'
import type { Logger } from '../runtime/log'
import type { Metrics } from '../runtime/metrics'
import type { Environment } from '../runtime/ports'
import type { SessionKeeper } from '../zk-schema/session/keeper'
import type { KafkaConfig } from './config/kafka-config'
import type { TopicConfigStore } from './config/topic-config-store'

/** How often the controller compares its memory with ZooKeeper. */
const RECONCILE_INTERVAL_MS = 5 * 60_000

export interface ControllerPartOptions {
  env: Environment
  config: KafkaConfig
  topicConfigs: TopicConfigStore
  keeper: SessionKeeper
  brokerId: number
  registerBroker(): Promise<void>
  logger: Logger
  recorder: Recorder
  metrics: Metrics
}

/** This process's controller, not yet standing for election. */
export function createController(options: ControllerPartOptions): Controller {
  const { env, config, brokerId, logger } = options
  return new Controller(env, {
    brokerId,
    keeper: options.keeper,
    config: controllerConfig(config, options.topicConfigs),
    connect: (broker) => connectTo(env, config, brokerId, broker, logger),
    registerBroker: () => options.registerBroker(),
    logger,
    recorder: options.recorder,
    metrics: options.metrics,
  })
}

function controllerConfig(config: KafkaConfig, topicConfigs: TopicConfigStore): ControllerConfig {
  const { values } = config
  return {
    interBrokerVersion: config.protocol.version,
    interBrokerListener: config.listeners.interBrokerName,
    numPartitions: config.numPartitions,
    defaultReplicationFactor: config.defaultReplicationFactor,
    deleteTopicEnable: values.boolean('delete.topic.enable'),
    autoLeaderRebalanceEnable: values.boolean('auto.leader.rebalance.enable'),
    leaderImbalanceCheckIntervalSeconds: values.number('leader.imbalance.check.interval.seconds'),
    leaderImbalancePercentage: values.number('leader.imbalance.per.broker.percentage'),
    socketTimeoutMs: values.number('controller.socket.timeout.ms'),
    zooKeeperSetAcl: values.boolean('zookeeper.set.acl'),
    topicDefaults: () => topicConfigs.defaults,
    describeTopicConfig: (overrides) =>
      describeTopicConfig(config, overrides, null).map(({ name, value, readOnly, configSource, isSensitive }) => ({
        name,
        value,
        readOnly,
        configSource,
        isSensitive,
      })),
    reconcileIntervalMs: RECONCILE_INTERVAL_MS,
  }
}

/** To the listener for controllers; a broker that has none of that name is reached by the one for brokers. */
function connectTo(
  env: Environment,
  config: KafkaConfig,
  brokerId: number,
  broker: RemoteBroker,
  logger: Logger,
): ControlConnection {
  const endpointOf = (name: string): RemoteBroker['endpoints'][number] | undefined =>
    broker.endpoints.find(({ listenerName }) => listenerName === name)
  const endpoint = endpointOf(config.controlListener) ?? endpointOf(config.listeners.interBrokerName)
  const connection = new KafkaConnection(env, {
    // Without an endpoint the connection fails, and is tried again when the broker has registered another one.
    host: endpoint?.host ?? '0.0.0.0',
    port: endpoint?.port ?? 0,
    clientId: `controller-${brokerId}`,
    requestTimeoutMs: config.requestTimeoutMs,
    connectTimeoutMs: config.values.number('controller.socket.timeout.ms'),
    // The versions follow from inter.broker.protocol.version, and are not asked for.
    versions: new Map(),
    logger,
  })
  return {
    connect: () => connection.connect(),
    send: (apiKey, body, sendOptions) => connection.send(apiKey, body as object, sendOptions),
    close: () => connection.close(),
  }
}
