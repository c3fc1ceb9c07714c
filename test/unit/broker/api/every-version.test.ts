import { ErrorCode } from '../../../../protocol/errors'
import { ApiKey, apiByKey } from '../../../../protocol/messages/apis'
import { RunningCluster } from '../support/running-broker'
import { REQUESTS } from './every-request'
import type { ApiVersionsResponse } from '../../../../protocol/messages/api-versions'
import type { KafkaConnection } from '../../../../network/kafka-connection'

let cluster: RunningCluster
let connection: KafkaConnection
let topicId: string

beforeAll(async () => {
  cluster = await RunningCluster.start(1)
  await cluster.createTopic('versions')
  connection = await cluster.connect()
  topicId = cluster.brokers[0]!.metadata.topicId('versions')!
})

afterAll(() => cluster.close())

test('ApiVersions advertises what is tried here, with Kafka 3.9’s ranges', async () => {
  const { apiKeys, errorCode } = await connection.send<object, ApiVersionsResponse>(ApiKey.apiVersions, {
    clientSoftwareName: 'test',
    clientSoftwareVersion: '1',
  })
  expect(errorCode).toBe(ErrorCode.NONE)
  expect(apiKeys.map(({ apiKey }) => apiKey)).toEqual(Object.keys(REQUESTS).map(Number))
  for (const { apiKey, minVersion, maxVersion } of apiKeys) {
    expect({ apiKey, minVersion, maxVersion }).toEqual({ apiKey, minVersion: 0, maxVersion: apiByKey(apiKey)!.maxVersion })
  }
})

test.each(Object.keys(REQUESTS).map((key) => [apiByKey(Number(key))!.name, Number(key)]))(
  '%s is answered in every version',
  async (_, key) => {
    const { minVersion, maxVersion } = apiByKey(key as number)!
    for (let version = minVersion; version <= maxVersion; version++) {
      const body = REQUESTS[key as number]!(version, { topic: topicId })
      const answer = await connection.send<object, object>(key as number, body, { version })
      expect({ version, answer: typeof answer }).toEqual({ version, answer: 'object' })
    }
    expect(cluster.fatal).toEqual([])
  },
)
