import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { LEVEL_NAMES, ROOT_LOGGER } from '../../runtime/log-levels'
import { ConfigOperation } from '../config/config-changes'
import { brokerIdOf } from './config-resources'
import type { LevelName } from '../../runtime/log-levels'
import type { ConfigChange } from '../config/config-changes'
import type { ConfigEntry } from '../config/config-descriptions'
import type { BrokerServices } from './services'

const DYNAMIC_BROKER_LOGGER_CONFIG = 6
const UNKNOWN_TYPE = 0
const VALID_LEVELS = [...LEVEL_NAMES].sort().join(', ')

/** The levels of this broker's loggers, as DescribeConfigs shows them (KIP-412). Throws ProtocolError. */
export function describeBrokerLoggers(services: BrokerServices, name: string, keys: readonly string[] | null): ConfigEntry[] {
  if (name === '') throw new ProtocolError(ErrorCode.INVALID_REQUEST, 'Broker id must not be empty')
  if (brokerIdOf(name) !== services.brokerId) {
    const message = `Unexpected broker id, expected ${services.brokerId} but received ${name}`
    throw new ProtocolError(ErrorCode.INVALID_REQUEST, message)
  }
  return [...services.logLevels.all()]
    .filter(([logger]) => keys === null || keys.length === 0 || keys.includes(logger))
    .map(([logger, level]) => ({
      name: logger,
      value: level,
      readOnly: false,
      isDefault: false,
      configSource: DYNAMIC_BROKER_LOGGER_CONFIG,
      isSensitive: false,
      synonyms: [],
      configType: UNKNOWN_TYPE,
      documentation: '',
    }))
}

/** Kafka's RuntimeLoggerManager: nothing is stored, so a restart forgets it. Throws ProtocolError before anything is changed. */
export function alterBrokerLoggers(
  services: BrokerServices,
  name: string,
  changes: readonly ConfigChange[],
  validateOnly: boolean,
): void {
  const id = brokerIdOf(name, 'Node id')
  if (id !== services.brokerId) {
    // Kafka names the expected id twice.
    const message = `Unexpected node id. Expected ${services.brokerId}, but received ${services.brokerId}`
    throw new ProtocolError(ErrorCode.INVALID_REQUEST, message)
  }
  for (const change of changes) checkChange(services, change)
  if (validateOnly) return
  for (const { name: logger, value, operation } of changes) {
    services.logLevels.set(logger, operation === ConfigOperation.delete ? undefined : (value as LevelName))
    services.logger.warn({ logger, level: value }, 'the level of a logger was changed')
  }
}

function checkChange({ logLevels }: BrokerServices, { name, value, operation }: ConfigChange): void {
  switch (operation) {
    case ConfigOperation.set:
    case ConfigOperation.delete:
      break
    case ConfigOperation.append:
      throw new ProtocolError(ErrorCode.INVALID_REQUEST, 'APPEND operation is not allowed for the BROKER_LOGGER resource')
    default:
      throw new ProtocolError(ErrorCode.INVALID_REQUEST, 'SUBTRACT operation is not allowed for the BROKER_LOGGER resource')
  }
  if (!logLevels.has(name)) throw new ProtocolError(ErrorCode.INVALID_CONFIG, `Logger ${name} does not exist!`)
  if (operation === ConfigOperation.delete) {
    if (name !== ROOT_LOGGER) return
    throw new ProtocolError(ErrorCode.INVALID_REQUEST, 'Removing the log level of the root logger is not allowed')
  }
  if ((LEVEL_NAMES as readonly string[]).includes(value!)) return
  throw new ProtocolError(
    ErrorCode.INVALID_CONFIG,
    `Cannot set the log level of ${name} to ${value} as it is not a supported log level. Valid log levels are ${VALID_LEVELS}`,
  )
}
