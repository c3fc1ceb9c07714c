/** A client that we did not write (librdkafka) is held back by quotas, is told so, and gets through all the same. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Admin, startCluster } from '../../index'
import { KafkaConnection } from '../../network/kafka-connection'
import { ApiKey } from '../../protocol/messages/apis'
import { realEnvironment } from '../../runtime/real'
import { debianClients } from './support/clients'
import type { AlterClientQuotasRequest, AlterClientQuotasResponse } from '../../protocol/messages/alter-client-quotas'

const BYTES_PER_SECOND = 1_000_000
const COUNT = 500
const SIZE = 10_000

interface Side {
  records: number
  /** In seconds, one for each answer that said so. */
  throttles: number[]
}

const isThere = debianClients.find(({ name }) => name === 'confluent-kafka')!.isThere()
if (!isThere) process.stderr.write('skipped: confluent-kafka (it is not installed)\n')

;(isThere ? test : test.skip)('5 MB at 1 MB a second', async () => {
  // Two samples: with Kafka's eleven the first ten seconds' bytes may come at once.
  const cluster = await startCluster({ brokers: 1, overrides: { 'quota.window.num': '2' } })
  const admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
  await admin.createTopics([{ name: 'throttled', partitions: 1, replicationFactor: 1 }])
  const [host, port] = cluster.bootstrapServers.split(',')[0]!.split(':')
  const connection = new KafkaConnection(realEnvironment(), {
    host: host!, port: Number(port), clientId: 'quotas', requestTimeoutMs: 20_000,
  })
  await connection.connect()
  const { entries } = await connection.send<AlterClientQuotasRequest, AlterClientQuotasResponse>(ApiKey.alterClientQuotas, {
    entries: [{
      entity: [{ entityType: 'user', entityName: 'ANONYMOUS' }, { entityType: 'client-id', entityName: 'fast' }],
      ops: ['producer_byte_rate', 'consumer_byte_rate'].map((key) => ({ key, value: BYTES_PER_SECOND })),
    }],
  })
  expect(entries[0]!.errorCode).toBe(0)
  const run = async (clientId: string): Promise<{ produced: Side; consumed: Side }> => {
    const args = [join(__dirname, 'support/throttled.py'), cluster.bootstrapServers, 'throttled', clientId, String(COUNT), String(SIZE)]
    return JSON.parse((await promisify(execFile)('/usr/bin/python3', args)).stdout) as { produced: Side; consumed: Side }
  }
  for (const side of Object.values(await run('fast'))) {
    expect(side.records).toBe(COUNT)
    expect(Math.max(...side.throttles)).toBeGreaterThan(0)
  }
  for (const side of Object.values(await run('another'))) expect(side).toEqual({ records: COUNT, throttles: [] })
  connection.close()
  await admin.close()
  await cluster.close()
}, 180_000)
