import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { validateTopicName } from '../../protocol/rules/topic-name'
import { describeBrokerConfig, describeDefaultBrokerConfig, describeTopicConfig } from '../config/config-descriptions'
import { describeBrokerLoggers } from './broker-loggers'
import { firstOfEach } from './group-requests'
import { ResourceType, brokerIdOf } from './config-resources'
import type {
  DescribeConfigsRequest,
  DescribeConfigsResource,
  DescribeConfigsResponse,
} from '../../protocol/messages/describe-configs'
import type { ConfigEntry } from '../config/config-descriptions'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/**
 * DescribeConfigs 0-4 for topics, for this broker and its loggers. Version 0 knows only whether a value is the default; the source
 * and the synonyms come from 1 on, the type from 3 on. A broker without a name means what all brokers share dynamically.
 */
export function describeConfigsHandler(services: BrokerServices): Handler<DescribeConfigsRequest, DescribeConfigsResponse> {
  return async (context) => {
    const { includeSynonyms } = context.body
    const resources = firstOfEach(
      context.body.resources,
      ({ resourceType, resourceName, configurationKeys }) => `${resourceType}/${resourceName}/${JSON.stringify(configurationKeys)}`,
    )
    const topics = resources
      .filter(({ resourceType }) => resourceType === ResourceType.topic)
      .map(({ resourceName }) => resourceName)
    await services.refreshTopicConfigs(topics.filter((topic) => services.metadata.topic(topic) !== undefined))
    context.respond({
      results: resources.map((resource) => {
        const { resourceType, resourceName } = resource
        try {
          const configs = describe(services, resource)
          return {
            errorCode: ErrorCode.NONE,
            errorMessage: '',
            resourceType,
            resourceName,
            configs: configs.map((entry) => ({
              ...entry,
              isDefault: context.apiVersion === 0 && entry.isDefault,
              synonyms: includeSynonyms ? entry.synonyms : [],
            })),
          }
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error
          return { errorCode: error.code, errorMessage: error.message, resourceType, resourceName, configs: [] }
        }
      }),
    })
  }
}

function describe(
  services: BrokerServices,
  { resourceType, resourceName, configurationKeys }: DescribeConfigsResource,
): ConfigEntry[] {
  const { config } = services
  switch (resourceType) {
    case ResourceType.topic: {
      const invalid = validateTopicName(resourceName)
      if (invalid !== undefined) throw new ProtocolError(ErrorCode.INVALID_TOPIC_EXCEPTION, invalid)
      if (services.metadata.topic(resourceName) === undefined) throw new ProtocolError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, '')
      return describeTopicConfig(config, services.topicConfigs.overridesOf(resourceName), configurationKeys)
    }
    case ResourceType.broker:
      if (resourceName === '') return describeDefaultBrokerConfig(config, configurationKeys)
      if (brokerIdOf(resourceName) !== services.brokerId) {
        throw new ProtocolError(
          ErrorCode.INVALID_REQUEST,
          `Unexpected broker id, expected ${services.brokerId} or empty string, but received ${resourceName}`,
        )
      }
      return describeBrokerConfig(config, configurationKeys)
    case ResourceType.brokerLogger:
      return describeBrokerLoggers(services, resourceName, configurationKeys)
    case ResourceType.clientMetrics:
      if (resourceName === '') {
        throw new ProtocolError(ErrorCode.INVALID_REQUEST, 'Client metrics subscription name must not be empty')
      }
      throw new ProtocolError(ErrorCode.INVALID_REQUEST, 'Config type client-metrics is only supported on KRaft clusters')
    default:
      throw new ProtocolError(ErrorCode.INVALID_REQUEST, `Unsupported resource type: ${resourceType}`)
  }
}
