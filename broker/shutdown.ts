import { forgetStoredSession } from '../zk-schema/operations/stored-session'
import { controlledShutdown } from './controlled-shutdown'
import type { Logger } from '../runtime/log'
import type { Environment } from '../runtime/ports'
import type { SessionKeeper } from '../zk-schema/session/keeper'
import type { Controller } from '../controller/controller'
import type { ControllerClient } from './api/controller-client'
import type { MetadataWaits } from './api/metadata-waits'
import type { BrokerRegistrar } from './broker-registration'
import type { ConfigListener } from './config/config-listener'
import type { KafkaConfig } from './config/kafka-config'
import type { GroupCoordinator } from './group/group-coordinator'
import type { LogManager } from './log/log-manager'
import type { MetadataCache } from './metadata/metadata-cache'
import type { ReplicaManager } from './replica/replica-manager'
import type { SocketServer } from './server/socket-server'
import type { TransactionPart } from './transaction-part'

/** What a running broker is made of. */
export interface BrokerParts {
  env: Environment
  config: KafkaConfig
  logger: Logger
  brokerId: number
  clusterId: string
  keeper: SessionKeeper
  registrar: BrokerRegistrar
  metadata: MetadataCache
  metadataWaits: MetadataWaits
  groups: GroupCoordinator
  transactions: TransactionPart
  configListener: ConfigListener
  toController: ControllerClient
  logs: LogManager
  replicas: ReplicaManager
  controller: Controller
  server: SocketServer
}

/** A controlled shutdown, then everything in reverse. Resolves when nothing runs any more; never rejects. */
export async function shutDown(parts: BrokerParts): Promise<void> {
  const { logger } = parts
  const attempt = async (what: string, work: () => Promise<unknown> | unknown): Promise<void> => {
    try {
      await work()
    } catch (error) {
      logger.error({ err: error }, `shutdown: ${what} failed`)
    }
  }
  logger.info({}, 'shutting down')
  parts.replicas.leave()
  const { values } = parts.config
  if (values.boolean('controlled.shutdown.enable')) {
    await attempt('the controlled shutdown', () =>
      controlledShutdown({
        brokerId: parts.brokerId,
        brokerEpoch: () => parts.registrar.epoch,
        metadata: parts.metadata,
        toController: parts.toController,
        clock: parts.env.clock,
        logger,
        maxRetries: values.number('controlled.shutdown.max.retries'),
        retryBackoffMs: values.number('controlled.shutdown.retry.backoff.ms'),
        timeoutMs: parts.config.requestTimeoutMs,
        isConnected: () => parts.keeper.current.state === 'connected',
      }),
    )
  }
  await attempt('the configuration listener', () => parts.configListener.close())
  await attempt('the listeners', () => parts.server.stopAccepting())
  await attempt('what waits for metadata', () => parts.metadataWaits.close())
  await attempt('the groups', () => parts.groups.close())
  await attempt('the transactions', () => parts.transactions.close())
  await attempt('replication', () => parts.replicas.shutdown())
  await attempt('the logs', () => parts.logs.shutdown(true))
  await attempt('the controller', () => parts.controller.stop())
  await attempt('the way to the controller', () => parts.toController.close())
  let ended = false
  await attempt('the ZooKeeper session', async () => {
    ended = await parts.keeper.close()
  })
  // Without ZooKeeper the session and its znodes stay for a while: the next start ends them.
  if (ended) await attempt('the stored session', () => forgetStoredSession(parts.env.disk, parts.config.logDirs[0]!))
  await attempt('the connections', () => parts.server.close())
  logger.info({}, 'shut down')
}
