import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseProperties } from '../../protocol/files/properties'
import { RECORDING_DIR } from '../../protocol/rules/config-definition'

/** Where the brokers of one data directory record: as their server.properties says, or beside it. */
export function recordingsIn(dataDirectory: string): string[] {
  return brokerDirectories(dataDirectory).map((directory) => {
    const configured = propertiesOf(directory)[RECORDING_DIR]
    return resolve(configured === undefined || configured === '' ? join(directory, 'recording') : configured)
  })
}

/** `zookeeper.connect` of the first broker that has one. */
export function zookeeperOf(dataDirectory: string): string | undefined {
  for (const directory of brokerDirectories(dataDirectory)) {
    const connect = propertiesOf(directory)['zookeeper.connect']
    if (connect !== undefined) return connect
  }
  return undefined
}

function brokerDirectories(dataDirectory: string): string[] {
  if (!existsSync(dataDirectory)) return []
  return readdirSync(dataDirectory)
    .filter((name) => /^broker-\d+$/.test(name))
    .sort((a, b) => Number(a.slice(7)) - Number(b.slice(7)))
    .map((name) => join(dataDirectory, name))
}

function propertiesOf(directory: string): Record<string, string> {
  try {
    return parseProperties(readFileSync(join(directory, 'server.properties'), 'utf8'))
  } catch {
    return {}
  }
}
