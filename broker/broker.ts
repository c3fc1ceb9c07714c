import { ApiKey } from '../protocol/messages/apis'
import { LogLevels } from '../runtime/log-levels'
import { TimerWheel } from '../runtime/timer-wheel'
import { Turn } from '../runtime/turn'
import { awaitVacancy, checkEndpoints } from '../zk-schema/operations/register-broker'
import { getOrCreateClusterId } from '../zk-schema/operations/cluster-id'
import { createChroot } from '../zk-schema/operations/create-chroot'
import { ensureTopLevelPaths } from '../zk-schema/operations/ensure-top-level'
import { generateBrokerId } from '../zk-schema/operations/generate-broker-id'
import { endStoredSession } from '../zk-schema/operations/stored-session'
import { SessionKeeper } from '../zk-schema/session/keeper'
import { advertisedEndpoints } from './endpoints'
import { AutoTopicCreation } from './api/auto-topic-creation'
import { ControllerClient } from './api/controller-client'
import { handlerTable } from './api/handlers'
import { MetadataWaits } from './api/metadata-waits'
import { checkIdentities, readIdentities, writeIdentities } from './broker-identity'
import { BrokerRegistrar } from './broker-registration'
import { CoordinatorLeadership } from './coordinator/leadership'
import { createCoordinatorLogs } from './coordinator-logs'
import { ClientConfigs } from './config/client-configs'
import { ZkClientConfigStore } from './config/client-config-store'
import { ZkBrokerConfigWriter } from './config/broker-config-writer'
import { ConfigListener } from './config/config-listener'
import { DynamicBrokerConfig } from './config/dynamic-broker-config'
import { checkSupported } from './config/supported-settings'
import { TopicConfigStore } from './config/topic-config-store'
import { ZkTopicConfigWriter } from './config/topic-config-writer'
import { createController } from './controller-part'
import { forgetDeletedTopics } from './deleted-topics'
import { addDynamicParts, addTopicDefaults } from './dynamic-parts'
import { FeatureEpoch } from './feature-epoch'
import { groupConfig } from './group/group-config'
import { GroupCoordinator } from './group/group-coordinator'
import { LogManager } from './log/log-manager'
import { logManagerOptions, replicaConfig, replicationProtocol, replicationQuotas, socketServerOptions } from './part-options'
import { QuotaPart } from './quota-part'
import { MetadataCache } from './metadata/metadata-cache'
import { alterPartitionForVersion, highestAlterPartitionVersion } from './replica/alter-partition-manager'
import { ReplicaManager } from './replica/replica-manager'
import { RequestPipeline } from './server/request-pipeline'
import { SocketServer } from './server/socket-server'
import { recordSessions } from './session-recording'
import { shutDown } from './shutdown'
import { StartError } from './start-error'
import { TransactionPart } from './transaction-part'
import { quarantineStrays } from './stray-logs'
import { ZooKeeperOffsets } from './zookeeper-offsets'
import { ZooKeeperQueries } from './zookeeper-queries'
import type { CompressionPool } from '../protocol/records/compression'
import type { Recorder } from '../recording/events'
import type { Logger } from '../runtime/log'
import type { Metrics } from '../runtime/metrics'
import type { Environment } from '../runtime/ports'
import type { SessionOptions } from '../zk-schema/session/session'
import type { BrokerServices } from './api/services'
import type { CleanerPool } from './log/cleaner/cleaner-pool'
import type { Controller } from '../controller/controller'
import type { KafkaConfig } from './config/kafka-config'
import type { BrokerParts } from './shutdown'

export interface BrokerOptions {
  logger: Logger
  /** Loggers whose levels can be changed; by default all write to `logger`. */
  logLevels?: LogLevels
  recorder: Recorder
  metrics: Metrics
  /** What a listener without a host is known by. */
  hostName: string
  processId: number
  /** Where produced records are opened and compressed; on the event loop by default. */
  compression?: CompressionPool
  /** Where compacted logs are cleaned; on the event loop by default, a buffer at a time. */
  cleanerPool?: CleanerPool
  /** Something that the broker cannot go on with: a broken invariant, or no log directory left. */
  onFatal(error: Error): void
}

/**
 * One broker, put together: the only place that knows all the parts, and the order in which they start and stop (broker.md, 1).
 * The process (main.ts), the tests and the simulator all start it here.
 */
export class Broker {
  readonly brokerId: number
  readonly clusterId: string
  readonly metadata: MetadataCache
  readonly replicas: ReplicaManager
  readonly controller: Controller
  readonly keeper: SessionKeeper
  private readonly parts: BrokerParts
  private stopping: Promise<void> | undefined

  constructor(parts: BrokerParts) {
    this.parts = parts
    this.brokerId = parts.brokerId
    this.clusterId = parts.clusterId
    this.metadata = parts.metadata
    this.replicas = parts.replicas
    this.controller = parts.controller
    this.keeper = parts.keeper
  }

  get brokerEpoch(): number {
    return this.parts.registrar.epoch
  }

  portOf(listenerName: string): number {
    return this.parts.server.portOf(listenerName)
  }

  /** A controlled shutdown, then everything in reverse. Resolves when nothing runs any more; never rejects. */
  stop(): Promise<void> {
    this.stopping ??= shutDown(this.parts)
    return this.stopping
  }
}

/** Starts a broker; resolves when it serves. Rejects with StartError, or with what a part says; then nothing is left running. */
export async function startBroker(env: Environment, config: KafkaConfig, options: BrokerOptions): Promise<Broker> {
  const undo: (() => Promise<unknown> | unknown)[] = []
  try {
    return await start(env, config, options, undo)
  } catch (error) {
    for (const step of undo.reverse()) {
      try {
        await step()
      } catch (second) {
        options.logger.warn({ err: second }, 'could not undo the start')
      }
    }
    throw error
  }
}

async function start(
  env: Environment,
  config: KafkaConfig,
  options: BrokerOptions,
  undo: (() => Promise<unknown> | unknown)[],
): Promise<Broker> {
  const { recorder, metrics } = options
  const logLevels = options.logLevels ?? new LogLevels(options.logger, 'TRACE')
  const logger = logLevels.logger('kafka.server')
  const { values } = config
  const turn = new Turn(env.clock)
  const timers = new TimerWheel(env.clock)

  const sessionOptions: SessionOptions = {
    connect: values.string('zookeeper.connect'),
    sessionTimeoutMs: values.number('zookeeper.session.timeout.ms'),
    connectionTimeoutMs: config.zookeeperConnectionTimeoutMs,
    // Kafka's 10 are for its own blocking client; a start with thousands of topics waits for nothing else.
    maxInFlight: values.isGiven('zookeeper.max.in.flight.requests') ? values.number('zookeeper.max.in.flight.requests') : 200,
    logger,
  }
  await createChroot(env, sessionOptions)
  const keeper = new SessionKeeper(env, sessionOptions)
  undo.push(() => keeper.close())
  const session = await keeper.start()
  recordSessions(keeper, recorder)
  await ensureTopLevelPaths(session)
  const clusterId = await getOrCreateClusterId(session, env.random)

  const identities = readIdentities(env.disk, config.logDirs)
  const storedId = checkIdentities(identities, clusterId, config.brokerId)
  const brokerId =
    config.brokerId >= 0
      ? config.brokerId
      : (storedId ?? (await generateBrokerId(session, values.number('reserved.broker.max.id'))))

  const topicConfigs = new TopicConfigStore(config, logger)
  const dynamicConfig = new DynamicBrokerConfig(config, logger)
  addTopicDefaults(dynamicConfig, topicConfigs)
  const quotaPart = new QuotaPart({ clock: env.clock, net: env.net, config, dynamic: dynamicConfig, logger })
  const clientConfigs = new ClientConfigs(() => keeper.current, (entity, values) => quotaPart.take(entity, values), logger)
  const configListener = new ConfigListener({
    keeper, store: topicConfigs, dynamic: dynamicConfig, clients: clientConfigs, brokerId, clock: env.clock, logger,
  })
  undo.push(() => configListener.close())
  const quotas = replicationQuotas(env.clock, config)
  dynamicConfig.onChange(() => quotas.setLimits((key) => dynamicConfig.dynamicText(key)))
  topicConfigs.onChange((topic, topicConfig) => quotas.setTopic(topic, brokerId, topicConfig))
  await configListener.load()
  // What ZooKeeper keeps for this broker may be another one's: an Apache broker's listeners with TLS or SASL, say.
  checkSupported(config)

  const logs = await LogManager.open(env, {
    ...logManagerOptions(config, topicConfigs),
    turn,
    logger: logLevels.logger('kafka.log'),
    processId: options.processId,
    metrics,
    ...(options.cleanerPool === undefined ? {} : { cleanerPool: options.cleanerPool }),
  })
  undo.push(() => logs.shutdown(false))
  topicConfigs.onChange((topic, topicConfig) => logs.updateTopicConfig(topic, topicConfig))
  const unwritable = writeIdentities(env.disk, identities, logs.onlineDirs, { brokerId, clusterId }, env.clock.wallMs())
  if (unwritable.length === logs.dirs.length) throw new StartError(`No log directory can be written: ${unwritable.join(', ')}.`)

  // The directory's lock is held, so whoever wrote the stored session is dead: its znodes go now, not after the time-out.
  if (await endStoredSession(env, sessionOptions, config.logDirs[0]!))
    logger.info({}, 'the session of this broker’s last run was still open; it is ended')
  // Logs may have been recovered for longer than a session lasts without its server.
  await keeper.through((current) => quarantineStrays(current, brokerId, logs, logger))

  const metadata = new MetadataCache()
  const server = new SocketServer(env, turn, {
    ...socketServerOptions(config), connectionThrottle: quotaPart.connections, logger: logLevels.logger('kafka.network'),
  })
  undo.push(() => server.close())
  // A port that is open while nobody answers behind it holds up clients and brokers that one which refuses would send elsewhere.
  await keeper.through((current) => awaitVacancy(env, current, brokerId, { previousSessionId: keeper.previousId, logger }))
  await server.bind()
  const endpoints = advertisedEndpoints(config.listeners, (name) => server.portOf(name), options.hostName)
  const broker = { brokerId, endpoints, rack: config.rack, jmxPort: -1, features: {} }
  await keeper.through((current) => checkEndpoints(current, { ...broker, timestampMs: 0 }))

  const registrar = new BrokerRegistrar({
    env,
    keeper,
    broker,
    version: config.protocol.featureZnode ? 5 : 4,
    sessionDirectory: config.logDirs[0]!,
    onRegistered: (newSession) => {
      forgetDeletedTopics(newSession, metadata, logger).catch((error: unknown) => {
        logger.warn({ err: error }, 'cannot find out which topics were deleted meanwhile')
      })
    },
    logger,
  })
  const controller = createController({
    env,
    config,
    topicConfigs,
    keeper,
    brokerId,
    registerBroker: () => registrar.register(),
    logger: logLevels.logger('kafka.controller'),
    recorder,
    metrics,
  })
  topicConfigs.onChange((topic, topicConfig) => {
    // A topic without a leader may get one now.
    if (topicConfig.uncleanLeaderElectionEnable && controller.isActive()) controller.enableUncleanLeaderElection(topic)
  })
  const toController = new ControllerClient({
    env,
    brokerId,
    metadata,
    gate: controller,
    listenerName: config.controlListener,
    requestTimeoutMs: config.requestTimeoutMs,
    logger,
    recorder,
  })
  undo.push(() => toController.close())
  const queries = new ZooKeeperQueries(keeper)
  const leadership = new CoordinatorLeadership()
  const replicas = new ReplicaManager({
    env,
    turn,
    timers,
    logger,
    recorder,
    metrics,
    brokerId,
    rack: config.rack,
    brokerEpoch: () => registrar.epoch,
    awaitBrokerEpoch: (epoch) => registrar.awaitEpoch(epoch),
    mayAct: () => registrar.mayAct(),
    logs,
    metadata,
    config: replicaConfig(config),
    protocol: replicationProtocol(config),
    topicReplication: (topic) => topicConfigs.of(topic),
    quotas,
    interBrokerListener: config.listeners.interBrokerName,
    ...(options.compression === undefined ? {} : { compression: options.compression }),
    toController: (request) =>
      toController.send(ApiKey.alterPartition, (version) => alterPartitionForVersion(request, version), {
        maxVersion: highestAlterPartitionVersion(request),
      }),
    confirmController: (controllerId, controllerEpoch) => queries.confirmController(controllerId, controllerEpoch),
    readBrokerEpoch: (id) => queries.brokerEpoch(id),
    readPartitionState: (topic, partition) => queries.partitionState(topic, partition),
    mayDeleteReplica: (topic, topicId) => queries.mayDeleteReplica(topic, topicId),
    verifyTransaction: (transaction, partitions) => transactions.verifier.verify(transaction, partitions),
    onLeadershipChange: leadership.onLeadershipChange,
    onReplicaStopped: leadership.onReplicaStopped,
    onLogDirFailure: (dir) => {
      logger.error({ dir }, 'a log directory failed; its replicas are offline')
      if (logs.onlineDirs.length === 0) options.onFatal(new Error(`No log directory is left: ${dir} failed last.`))
      else
        void queries
          .announceLogDirFailure(brokerId)
          .catch((error: unknown) => logger.error({ err: error }, 'the controller could not be told'))
    },
  })
  undo.push(() => replicas.shutdown())
  const coordinatorLogs = createCoordinatorLogs({
    config, clock: env.clock, metadata, replicas, readPartitionCount: (topic) => queries.partitionCount(topic),
  })
  const transactions = new TransactionPart({
    env, logger, config, brokerId, brokerEpoch: () => registrar.epoch, keeper, mayAct: () => registrar.mayAct(), toController, metadata,
    topicConfigs,
    log: coordinatorLogs.transaction, isPartitionGone: (topic, partition) => queries.isPartitionGone(topic, partition),
  })
  undo.push(() => transactions.close())
  leadership.follow(coordinatorLogs.transaction.topic, transactions.coordinator.partitions)
  addDynamicParts(dynamicConfig, {
    config, topicConfigs, logs, server, replicas, controller, registrar, hostName: options.hostName, logger,
  })
  const groups = new GroupCoordinator({
    env, timers, logger, metrics, config: groupConfig(config), log: coordinatorLogs.group, metadata, mayAct: () => registrar.mayAct(),
  })
  undo.push(() => groups.close())
  leadership.follow(coordinatorLogs.group.topic, groups.partitions)
  replicas.startup()
  transactions.coordinator.startup()
  undo.push(() => controller.stop())
  await keeper.through(() => registrar.register())
  controller.start()
  groups.start()

  const featureEpoch = new FeatureEpoch(keeper, logger)
  await featureEpoch.follow(keeper.current)
  const metadataWaits = new MetadataWaits(metadata, timers)
  const services: BrokerServices = {
    clock: env.clock,
    logger,
    brokerId,
    clusterId,
    config,
    metadata,
    replicas,
    controller,
    topicConfigs,
    topicConfigWriter: new ZkTopicConfigWriter({
      session: () => keeper.current,
      refresh: (topics) => configListener.refresh(topics),
      secure: false,
    }),
    dynamicConfig,
    brokerConfigWriter: new ZkBrokerConfigWriter({ session: () => keeper.current, refresh: () => configListener.refreshBroker() }),
    logLevels,
    refreshTopicConfigs: (topics) => configListener.refresh(topics),
    autoTopicCreation: new AutoTopicCreation({ config, toController, clock: env.clock, logger }),
    coordinatorLogs,
    groups,
    groupConfig: groupConfig(config),
    quotas: quotaPart.clients,
    clientConfigs: new ZkClientConfigStore({
      session: () => keeper.current, refresh: (entity) => clientConfigs.refresh(entity),
    }),
    net: env.net,
    zooKeeperOffsets: new ZooKeeperOffsets(keeper),
    metadataWaits,
    transactions: transactions.coordinator,
    featureEpoch: () => featureEpoch.current,
  }
  await configListener.start()
  server.start(new RequestPipeline({
    handlers: handlerTable(services), meter: quotaPart.meter, logger, onInvariant: options.onFatal,
  }))
  logger.info({ brokerId, clusterId, endpoints }, 'started')
  return new Broker({
    env,
    config,
    logger,
    brokerId,
    clusterId,
    keeper,
    registrar,
    metadata,
    metadataWaits,
    groups,
    transactions,
    configListener,
    toController,
    logs,
    replicas,
    controller,
    server,
  })
}
