import { DynamicBrokerConfig } from '../../../broker/config/dynamic-broker-config'
import { KafkaConfig } from '../../../broker/config/kafka-config'
import { QuotaPart } from '../../../broker/quota-part'
import { parseBrokerConfig } from '../../../protocol/rules/config-definition'
import { silentLogger } from '../../../runtime/log'

const RATE = 'max.connection.creation.rate'

function setUp(properties: Record<string, string> = {}) {
  const given = {
    'zookeeper.connect': 'localhost:2181', 'listener.security.protocol.map': 'CLIENT:PLAINTEXT,BROKER:PLAINTEXT',
    listeners: 'CLIENT://:1,BROKER://:2', 'inter.broker.listener.name': 'BROKER', ...properties,
  }
  const config = new KafkaConfig(parseBrokerConfig(given).values)
  const dynamic = new DynamicBrokerConfig(config, silentLogger)
  const clock = { monoMs: () => 0, wallMs: () => 0, timer: () => ({ cancel() {} }), immediate() {} }
  const errors: object[] = []
  const logger = { ...silentLogger, error: (fields: object) => void errors.push(fields) }
  const lookups: [string, (address: string | undefined) => void][] = []
  const net = { lookup: (host: string) => new Promise<string | undefined>((resolve) => lookups.push([host, resolve])) }
  const part = new QuotaPart({ clock, net: net as never, config, dynamic, logger })
  /** How many connections of ten seconds' worth of the limit come through at once. */
  const taken = (count: number, listener: string): number =>
    Array.from({ length: count }, () => part.connections.listenerDelayMs(listener, listener === 'BROKER')).filter((ms) => ms === 0).length
  const takenFrom = (address: string, count: number): number =>
    Array.from({ length: count }, () => part.connections.addressDelayMs(address, 'CLIENT', false)).filter((ms) => ms === 0).length
  return { part, dynamic, errors, lookups, taken, takenFrom }
}

test('the rate of connections of the broker holds for each listener that has none of its own, also while it runs', () => {
  const { part, dynamic, taken } = setUp({ [RATE]: '3' })
  expect([taken(50, 'BROKER'), taken(50, 'CLIENT')]).toEqual([30, 30])
  const other = setUp()
  expect(other.part.connections.isOn).toBe(false)
  other.dynamic.take({ [`listener.name.client.${RATE}`]: '2' }, true)
  expect([other.taken(50, 'BROKER'), other.taken(50, 'CLIENT')]).toEqual([50, 20])
  expect(() => dynamic.validate({ [RATE]: '0' }, false)).toThrow(`Invalid ${RATE} 0`)
  expect(() => dynamic.validate({ [RATE]: '1' }, false)).not.toThrow()
  dynamic.take({ [RATE]: '2147483647' }, false)
  expect(part.connections.isOn).toBe(false)
})

test('an address may be given by a name, and be taken away again before it is found', async () => {
  const { part, lookups, takenFrom, errors } = setUp()
  const limit = new Map([['connection_creation_rate', '1']])
  part.take({ type: 'ips', name: '10.0.0.1' }, limit)
  part.take({ type: 'ips', name: 'localhost' }, limit)
  part.take({ type: 'ips', name: 'gone' }, limit)
  part.take({ type: 'ips', name: 'gone' }, new Map())
  expect(lookups.map(([host]) => host)).toEqual(['localhost', 'gone'])
  lookups[0]![1]('127.0.0.1')
  lookups[1]![1]('10.0.0.2')
  await Promise.resolve()
  expect([takenFrom('10.0.0.1', 20), takenFrom('127.0.0.1', 20), takenFrom('10.0.0.2', 20)]).toEqual([10, 10, 20])
  part.take({ type: 'ips', name: 'localhost' }, new Map())
  part.take({ type: 'ips', name: '10.0.0.1' }, new Map())
  expect(part.connections.isOn).toBe(false)
  part.take({ type: 'ips', name: null }, new Map([['connection_creation_rate', 'many']]))
  part.take({ type: 'users', name: 'u', clientId: null }, new Map([['consumer_byte_rate', '']]))
  expect(errors).toHaveLength(2)
})
