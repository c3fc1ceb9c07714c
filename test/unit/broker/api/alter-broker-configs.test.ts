import { incrementalAlterConfigsHandler } from '../../../../broker/api/alter-configs'
import { DynamicBrokerConfig } from '../../../../broker/config/dynamic-broker-config'
import { KafkaConfig } from '../../../../broker/config/kafka-config'
import { parseBrokerConfig } from '../../../../protocol/rules/config-definition'
import { silentLogger } from '../../../../runtime/log'

async function alterBroker(stored: Record<string, string>, name: string, value: string): Promise<unknown> {
  const config = new KafkaConfig(parseBrokerConfig({ 'zookeeper.connect': 'localhost:2181' }).values)
  const dynamicConfig = new DynamicBrokerConfig(config, silentLogger)
  dynamicConfig.take(stored, false)
  let written: unknown
  const services = {
    brokerId: 0, config, dynamicConfig, logger: silentLogger,
    brokerConfigWriter: { change: async (_: unknown, change: (s: object) => object) => void (written = { ...change(stored) }) },
  }
  let answer: unknown
  const body = { resources: [{ resourceType: 4, resourceName: '', configs: [{ name, configOperation: 0, value }] }], validateOnly: false }
  await incrementalAlterConfigsHandler(services as never)({ body, respond: (a: unknown) => void (answer = a) } as never)
  if (written === undefined) throw new Error(JSON.stringify(answer))
  return written
}

test('what another release of the cluster has set for all brokers stays when one key changes', async () => {
  const written = await alterBroker(
    { 'metric.reporters': 'com.acme.Reporter', 'remote.log.manager.copy.max.bytes.per.second': '1000000', 'log.retention.ms': '5' },
    'log.cleaner.threads', '2',
  )
  expect(written).toEqual({
    'metric.reporters': 'com.acme.Reporter', 'remote.log.manager.copy.max.bytes.per.second': '1000000', 'log.retention.ms': '5', 'log.cleaner.threads': '2',
  })
})
