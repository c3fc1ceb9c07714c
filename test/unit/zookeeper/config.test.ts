import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseProperties } from '../../../protocol/files/properties'
import { ConfigError, parseZooKeeperConfig } from '../../../zookeeper/config'

test('the file that comes with the program is right', () => {
  const text = readFileSync(join(__dirname, '../../../config/zookeeper.properties'), 'utf8')
  const { options, warnings } = parseZooKeeperConfig(parseProperties(text))
  expect(warnings).toEqual([])
  expect(options).toEqual({ host: '', port: 2181, dataDir: '/tmp/zookeeper', maxClientConnections: 0, tickTimeMs: 3000 })
})

test('keys of zoo.cfg become options', () => {
  const { options, warnings } = parseZooKeeperConfig({
    dataDir: '/d',
    dataLogDir: '/l',
    clientPort: '1',
    clientPortAddress: '::1',
    tickTime: '500',
    minSessionTimeout: '-1',
    maxSessionTimeout: '9000',
    forceSync: 'no',
    snapCount: '7',
    'autopurge.snapRetainCount': '5',
    'autopurge.purgeInterval': '1',
    extendedTypesEnabled: 'true',
    'zookeeper.DigestAuthenticationProvider.superDigest': 'a:b',
    '4lw.commands.whitelist': 'ruok, stat',
    'jute.maxbuffer': '4194304',
    'znode.container.checkIntervalMs': '5',
    initLimit: '5',
    'server.1': 'h:1:2',
    'admin.enableServer': 'false',
    'admin.serverPort': '8080',
    colour: 'red',
  })
  expect(options).toEqual({
    host: '::1',
    port: 1,
    dataDir: '/d',
    dataLogDir: '/l',
    tickTimeMs: 500,
    maxSessionTimeoutMs: 9000,
    maxClientConnections: 60,
    maxPacketBytes: 4194304,
    forceSync: false,
    snapCount: 7,
    snapRetainCount: 5,
    extendedTypesEnabled: true,
    superDigest: 'a:b',
    fourLetterWords: ['ruok', 'stat'],
    containerCheckIntervalMs: 5,
  })
  expect(warnings).toEqual(['colour'])
})

test('purging every 0 hours is never', () => {
  expect(parseZooKeeperConfig({ dataDir: '/d', 'autopurge.purgeInterval': '0' }).options.snapRetainCount).toBe(0)
})

test.each([
  [{}, /dataDir is not set/],
  [{ dataDir: '/d', clientPort: '70000' }, /clientPort=70000 is wrong: it takes a whole number from 0 to 65535/],
  [{ dataDir: '/d', forceSync: 'maybe' }, /forceSync=maybe is wrong: it takes yes or no/],
  [{ dataDir: '/d', maxSessionTimeout: '10', tickTime: '1000' }, /minSessionTimeout=2000 is above maxSessionTimeout=10/],
  [{ dataDir: '/d', secureClientPort: '2182' }, /neither TLS nor SASL/],
  [{ dataDir: '/d', 'authProvider.1': 'x' }, /neither TLS nor SASL/],
  [{ dataDir: '/d', 'server.1': 'a', 'server.2': 'b' }, /stands alone/],
  [{ dataDir: '/d', 'admin.enableServer': 'true' }, /does not have it/],
  [{ dataDir: '/d', skipACL: 'yes' }, /does not have it/],
])('%j is refused', (properties, message) => {
  expect(() => parseZooKeeperConfig(properties as Record<string, string>)).toThrow(message)
  expect(() => parseZooKeeperConfig(properties as Record<string, string>)).toThrow(ConfigError)
})
