import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { parsePairs } from '../../../../cli/configs/changes'
import { OPTIONS, checkOptions, entitiesOf } from '../../../../cli/configs/options'
import { saltPassword } from '../../../../cli/configs/scram'
import { formatScramCredential } from '../../../../protocol/rules/scram-credential'
import { inHashMapOrder, javaHash } from '../../../../cli/tool/java-hash-map'
import { parseCommandLine } from '../../../../cli/tool/command-line'

function typed(text: string): [ReturnType<typeof parseCommandLine>, ReturnType<typeof entitiesOf>] {
  const argv = text.split(' ')
  const line = parseCommandLine(OPTIONS, argv)
  return [line, entitiesOf(line, argv)]
}

test('brackets keep commas and equals signs together', () => {
  expect(parsePairs('a=1,b=[x,y=2], c = 3')).toEqual([['a', '1'], ['b', 'x,y=2'], ['c', '3']])
  expect(parsePairs('a=')).toEqual([['a', '']])
  expect(parsePairs('a')).toBeUndefined()
  expect(parsePairs('a=1=2')).toBeUndefined()
})

test('entities in the order in which they were typed', () => {
  expect(typed('--entity-type users --entity-default --entity-type clients --entity-name c')[1]).toEqual({
    types: ['users', 'clients'], names: ['', 'c'],
  })
  expect(typed('--client c --user-defaults')[1]).toEqual({ types: ['clients', 'users'], names: ['c', ''] })
})

const B = '--bootstrap-server b:1'
test.each([
  [B, 'Command must include exactly one action: --describe, --alter'],
  [`${B} --describe`, 'At least one entity type must be specified'],
  [`${B} --describe --topic a --broker 1`, "Only 'users' and 'clients' entity types may be specified together"],
  [`${B} --describe --entity-type topics --topic a`, 'Duplicate entity type(s) specified: topics'],
  [`${B} --describe --broker x`, 'The entity name for brokers must be a valid integer broker id, but it is: x'],
  [`${B} --describe --entity-type broker-loggers`, 'an entity name must be specified with --describe of broker-loggers'],
  [`${B} --alter --topic a`, 'At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter'],
  ['--describe --broker 1', 'One of the required --bootstrap-server, --boostrap-controller, or --zookeeper arguments must be specified'],
  ['--zookeeper z:1 --describe --topic a', 'Invalid entity type topics, the entity type must be one of users, brokers with a --zookeeper argument'],
])('%s', (text, complaint) => {
  const [line, entities] = typed(text)
  expect(() => checkOptions(line, entities)).toThrow(complaint)
})

test('a credential as ZooKeeper keeps it (RFC 5802)', () => {
  const credential = saltPassword('SCRAM-SHA-256', 'iterations=5000,password=secret')
  const stored = formatScramCredential(credential)
  const salted = pbkdf2Sync('secret', credential.salt, 5000, 32, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  expect(stored).toContain(`stored_key=${createHash('sha256').update(clientKey).digest('base64')},`)
  expect(stored.endsWith(',iterations=5000')).toBe(true)
  expect(() => saltPassword('SCRAM-SHA-256', 'iterations=5,password=x')).toThrow('less than the minimum 4096 required for SCRAM-SHA-256')
  expect(() => saltPassword('SCRAM-SHA-256', 'x')).toThrow('Invalid credential property SCRAM_SHA_256=x')
})

test('quotas come in the order of a hash map, as Kafka prints them', () => {
  const order = (...keys: string[]): string[] => inHashMapOrder(keys, javaHash)
  expect(order('producer_byte_rate', 'consumer_byte_rate')).toEqual(['consumer_byte_rate', 'producer_byte_rate'])
  expect([javaHash('user'), javaHash('Aa') === javaHash('BB'), javaHash(null)]).toEqual([3599307, true, 0])
  expect(order('Aa', 'BB')).toEqual(['Aa', 'BB'])
})
