import { StartError } from './start-error'

export interface BrokerCommandLine {
  propertiesFile: string
  overrides: Record<string, string>
}

const USAGE = 'USAGE: kafka-server-start.sh [-daemon] server.properties [--override property=value]*'

/** `server.properties [--override property=value]*`, as kafka.Kafka takes it. Throws StartError. */
export function parseCommandLine(args: readonly string[]): BrokerCommandLine {
  const [propertiesFile, ...rest] = args
  if (propertiesFile === undefined || propertiesFile.startsWith('-')) throw new StartError(USAGE)
  const overrides: Record<string, string> = {}
  for (let i = 0; i < rest.length; i++) {
    const arg = rest[i]!
    const pair = arg.startsWith('--override=') ? arg.slice('--override='.length) : arg === '--override' ? rest[++i] : undefined
    if (pair === undefined)
      throw new StartError(
        arg === '--override' ? `--override needs property=value. ${USAGE}` : `Found non argument parameters: ${arg}. ${USAGE}`,
      )
    const equals = pair.indexOf('=')
    if (equals <= 0) throw new StartError(`--override ${pair} is not property=value.`)
    overrides[pair.slice(0, equals)] = pair.slice(equals + 1)
  }
  return { propertiesFile, overrides }
}
