import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { ConfigOperation, applyChanges, brokerKeyOf, checkChanges, checkTopicConfig } from '../config/config-changes'
import { alterBrokerLoggers } from './broker-loggers'
import { ResourceType, brokerIdOf } from './config-resources'
import type { AlterConfigsRequest, AlterConfigsResponse } from '../../protocol/messages/alter-configs'
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/incremental-alter-configs'
import type { ConfigChange } from '../config/config-changes'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

interface ResourceChange {
  resourceType: number
  resourceName: string
  changes: ConfigChange[]
}

interface Outcome {
  errorCode: number
  errorMessage: string | null
}

/** AlterConfigs 0-2: the named values replace everything that the resource sets. */
export function alterConfigsHandler(services: BrokerServices): Handler<AlterConfigsRequest, AlterConfigsResponse> {
  return async (context) => {
    const { resources, validateOnly } = context.body
    const changes = resources.map(({ resourceType, resourceName, configs }) => ({
      resourceType,
      resourceName,
      changes: configs.map(({ name, value }) => ({ name, value, operation: ConfigOperation.set })),
    }))
    context.respond({ responses: await alterAll(services, changes, validateOnly, 'replace') })
  }
}

/** IncrementalAlterConfigs 0-1 (KIP-339): SET 0, DELETE 1, APPEND 2 and SUBTRACT 3, the last two for lists alone. */
export function incrementalAlterConfigsHandler(
  services: BrokerServices,
): Handler<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse> {
  return async (context) => {
    const { resources, validateOnly } = context.body
    const changes = resources.map(({ resourceType, resourceName, configs }) => ({
      resourceType,
      resourceName,
      changes: configs.map(({ name, value, configOperation }) => ({ name, value, operation: configOperation })),
    }))
    context.respond({ responses: await alterAll(services, changes, validateOnly, 'update') })
  }
}

async function alterAll(
  services: BrokerServices,
  resources: readonly ResourceChange[],
  validateOnly: boolean,
  mode: 'replace' | 'update',
): Promise<(Outcome & { resourceType: number; resourceName: string })[]> {
  const counts = new Map<string, number>()
  const keyOf = (resource: ResourceChange): string => `${resource.resourceType}/${resource.resourceName}`
  for (const resource of resources) counts.set(keyOf(resource), (counts.get(keyOf(resource)) ?? 0) + 1)
  const responses = []
  for (const resource of resources) {
    const { resourceType, resourceName } = resource
    const outcome =
      counts.get(keyOf(resource)) === 1
        ? await alter(services, resource, validateOnly, mode)
        : { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: 'Each resource must appear at most once.' }
    responses.push({ ...outcome, resourceType, resourceName })
  }
  return responses
}

async function alter(
  services: BrokerServices,
  resource: ResourceChange,
  validateOnly: boolean,
  mode: 'replace' | 'update',
): Promise<Outcome> {
  try {
    checkChanges(resource.changes)
    switch (resource.resourceType) {
      case ResourceType.topic:
        await alterTopic(services, resource.resourceName, resource.changes, validateOnly, mode)
        break
      case ResourceType.broker:
        await alterBroker(services, resource.resourceName, resource.changes, validateOnly, mode)
        break
      case ResourceType.brokerLogger:
        if (mode === 'replace') throw invalidRequest(`Unknown resource type ${resource.resourceType}`)
        alterBrokerLoggers(services, resource.resourceName, resource.changes, validateOnly)
        break
      case ResourceType.clientMetrics:
        throw invalidRequest('AlterConfigs is only supported for topics and brokers, but resource type is CLIENT_METRICS')
      default:
        throw invalidRequest(`Unknown resource type ${resource.resourceType}`)
    }
    return { errorCode: ErrorCode.NONE, errorMessage: null }
  } catch (error) {
    if (error instanceof ProtocolError) return { errorCode: error.code, errorMessage: error.message }
    services.logger.error({ resource: resource.resourceName, err: error }, 'a configuration could not be changed')
    return { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage: (error as Error).message }
  }
}

function invalidRequest(message: string): ProtocolError {
  return new ProtocolError(ErrorCode.INVALID_REQUEST, message)
}

async function alterTopic(
  services: BrokerServices,
  topic: string,
  changes: readonly ConfigChange[],
  validateOnly: boolean,
  mode: 'replace' | 'update',
): Promise<void> {
  if (topic === '') throw invalidRequest('Default topic resources are not allowed.')
  if (services.metadata.topic(topic) === undefined) {
    throw new ProtocolError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${topic}' does not exist.`)
  }
  await services.topicConfigWriter.change(topic, validateOnly, (current) => {
    const next = applyChanges(mode === 'replace' ? {} : current, changes)
    checkTopicConfig(topic, next, services.topicConfigs.defaults)
    return next
  })
}

/** Of this broker, or of all brokers where no id is named. */
async function alterBroker(
  services: BrokerServices,
  name: string,
  changes: readonly ConfigChange[],
  validateOnly: boolean,
  mode: 'replace' | 'update',
): Promise<void> {
  const { brokerId, dynamicConfig } = services
  if (name !== '' && brokerIdOf(name, 'Node id') !== brokerId) {
    throw invalidRequest(`Unexpected broker id, expected ${brokerId}, but received ${name}`)
  }
  const perBroker = name !== ''
  const change = (stored: Readonly<Record<string, string>>): Record<string, string> => {
    const current = mode === 'replace' ? {} : dynamicConfig.kept(stored, perBroker)
    const next = applyChanges(current, changes, brokerKeyOf)
    dynamicConfig.validate(next, perBroker, current)
    return next
  }
  if (validateOnly) change(perBroker ? services.config.dynamicBroker : services.config.dynamicDefault)
  else await services.brokerConfigWriter.change(perBroker ? brokerId : undefined, change)
}
