import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDataDirectory, writeServerProperties, writeZooKeeperProperties } from '../../../cli/start/layout'
import { isWarning, readable } from '../../../cli/start/log-lines'
import { parseStartOptions } from '../../../cli/start/options'
import { choosePorts } from '../../../cli/start/ports'
import { parseProperties } from '../../../protocol/files/properties'

const directory = mkdtempSync(join(tmpdir(), 'prekraft-start-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('options', () => {
  test('defaults', () => {
    expect(parseStartOptions([])).toEqual({
      brokers: 3,
      firstId: 0,
      port: 9092,
      zookeeperPort: 2181,
      dataDir: 'data',
      isTemporary: false,
      zookeeper: undefined,
      overrides: {},
      exec: undefined,
    })
  })

  test('all of them, in both forms', () => {
    const args = [
      '--brokers',
      '1',
      '--first-id=5',
      '--port',
      '0',
      '--data',
      'd',
      '--override',
      'a=b',
      '--override=c=d=e',
      '--zookeeper',
      'h:1/x',
    ]
    expect(parseStartOptions(args)).toMatchObject({
      brokers: 1,
      firstId: 5,
      port: 0,
      dataDir: 'd',
      overrides: { a: 'b', c: 'd=e' },
      zookeeper: 'h:1/x',
    })
  })

  test('a command runs on free ports and throw-away data unless told otherwise', () => {
    expect(parseStartOptions(['--exec', 'npm test'])).toMatchObject({
      exec: 'npm test',
      port: 0,
      zookeeperPort: 0,
      isTemporary: true,
    })
    expect(parseStartOptions(['--exec', 'x', '--port', '9092', '--data', 'd'])).toMatchObject({
      port: 9092,
      isTemporary: false,
      dataDir: 'd',
    })
  })

  test.each([
    [['--broker', '3'], '--broker is not an option'],
    [['--brokers'], 'needs a value'],
    [['--brokers', '0'], 'from 1 to 100'],
    [['--brokers', 'many'], 'from 1 to 100'],
    [['--port', '65535'], 'there are not 3 ports'],
    [['--override', 'novalue'], 'expected key=value'],
    [['--zookeeper', 'h:1', '--zookeeper-port', '2'], 'exclude each other'],
  ])('%j', (args, message) => {
    expect(() => parseStartOptions(args)).toThrow(message)
  })
})

test('ports in use are named with what would help', async () => {
  const server = createServer()
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  )
  await expect(choosePorts(port, 1, '--port')).rejects.toThrow(
    `Port 127.0.0.1:${port} is in use. Stop what listens there, or choose another with --port.`,
  )
  server.close()
  const ports = await choosePorts(0, 5, '--port')
  expect(new Set(ports).size).toBe(5)
})

test('the data directory holds our things only', () => {
  const data = join(directory, 'data')
  openDataDirectory(data)
  mkdirSync(join(data, 'broker-12'))
  mkdirSync(join(data, 'zookeeper'))
  writeFileSync(join(data, '.hidden'), '')
  expect(() => openDataDirectory(data)).not.toThrow()
  writeFileSync(join(data, 'letter.txt'), '')
  expect(() => openDataDirectory(data)).toThrow('holds other things (letter.txt)')
  expect(() => openDataDirectory(join(data, 'letter.txt'))).toThrow('is not a directory')
})

test('properties are written with everything resolved', () => {
  const path = writeServerProperties(join(directory, 'p'), {
    brokerId: 2,
    port: 9094,
    brokers: 3,
    zookeeper: 'h:1',
    overrides: { 'num.partitions': '7', 'default.replication.factor': '2' },
  })
  expect(path).toBe(join(directory, 'p', 'broker-2', 'server.properties'))
  expect(parseProperties(readFileSync(path, 'utf8'))).toMatchObject({
    'broker.id': '2',
    listeners: 'PLAINTEXT://127.0.0.1:9094',
    'log.dirs': join(directory, 'p', 'broker-2', 'kafka-logs'),
    'recording.dir': join(directory, 'p', 'broker-2', 'recording'),
    'zookeeper.connect': 'h:1',
    'offsets.topic.replication.factor': '3',
    'num.partitions': '7',
    'default.replication.factor': '2',
  })
  const alone = writeServerProperties(join(directory, 'p'), { brokerId: 0, port: 1, brokers: 1, zookeeper: 'h:1', overrides: {} })
  expect(parseProperties(readFileSync(alone, 'utf8'))).toMatchObject({
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
  })
  expect(parseProperties(readFileSync(writeZooKeeperProperties(join(directory, 'p'), 2181), 'utf8'))).toMatchObject({
    clientPort: '2181',
    clientPortAddress: '127.0.0.1',
  })
})

test('log lines for people', () => {
  const line =
    '{"level":40,"time":"2026-11-21T12:20:15.678Z","name":"broker-0","topic":"t","count":3,"err":{"message":"why"},"msg":"odd"}'
  expect(readable(line)).toBe('12:20:15.678 WARN odd topic=t count=3 (why)')
  expect(isWarning(line)).toBe(true)
  expect(isWarning(line.replace('40', '30'))).toBe(false)
  expect(readable('plain words')).toBe('plain words')
  expect(readable('{"broken')).toBe('{"broken')
})
