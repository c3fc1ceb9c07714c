import { ErrorCode, ProtocolError, errorMessage } from '../../protocol/errors'
import { formatDouble } from '../../protocol/rules/config-values'
import { sanitizeName } from '../../zk-schema/configs'
import { outcomeOf } from './outcome'
import { CLIENT_QUOTA_KEYS, IP_QUOTA_KEYS, SCRAM_KEYS } from './quota-keys'
import type { AlterClientQuotasRequest, AlterClientQuotasResponse, OpData } from '../../protocol/messages/alter-client-quotas'
import type { Input } from '../../protocol/messages/schema'
import type { ClientConfigEntity } from '../../zk-schema/operations/client-configs'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

const EPSILON = 1e-6

/** AlterClientQuotas 0-1, on any broker: writes ZooKeeper itself, each entity by itself (Kafka's ZkAdminManager). */
export function alterClientQuotasHandler(services: BrokerServices): Handler<AlterClientQuotasRequest, AlterClientQuotasResponse> {
  return async (context) => {
    const { entries, validateOnly } = context.body
    // An entity that is named twice is changed twice, and answered once.
    const results = new Map<string, Input<AlterClientQuotasResponse['entries'][number]>>()
    for (const entry of entries) {
      const parts = new Map(entry.entity.map(({ entityType, entityName }) => [entityType, entityName]))
      const entity = [...parts].map(([entityType, entityName]) => ({ entityType, entityName }))
      const key = JSON.stringify([...parts].sort(([a], [b]) => (a < b ? -1 : 1)))
      try {
        await alter(services, parts, entry.ops, validateOnly)
        results.set(key, { errorCode: ErrorCode.NONE, errorMessage: null, entity })
      } catch (error) {
        results.set(key, { ...outcomeOf(services, error), entity })
      }
    }
    context.respond({ entries: [...results.values()] })
  }
}

async function alter(
  services: BrokerServices, parts: ReadonlyMap<string, string | null>, ops: readonly OpData[], validateOnly: boolean,
): Promise<void> {
  const entity = entityOf(parts)
  if (entity.type === 'ips' && !(await isAddress(services, entity.name))) {
    throw invalid(`${sanitizeName(entity.name!)} is not a valid IP or resolvable host.`)
  }
  const keys = entity.type === 'ips' ? IP_QUOTA_KEYS : CLIENT_QUOTA_KEYS
  await services.clientConfigs.change(entity, validateOnly, (stored) => {
    for (const { key, value, remove } of ops) {
      if (remove) stored.delete(key)
      else stored.set(key, textOf(key, value, keys, entity))
    }
    if (!validateOnly) checkStored(stored, entity)
    return stored
  })
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(ErrorCode.INVALID_REQUEST, message)
}

/** An exception in Kafka, of which nobody is told. */
function unknown(): ProtocolError {
  return new ProtocolError(ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage(ErrorCode.UNKNOWN_SERVER_ERROR))
}

function entityOf(parts: ReadonlyMap<string, string | null>): ClientConfigEntity {
  if (parts.size === 0) throw invalid('Invalid empty client quota entity')
  for (const [type, name] of parts) {
    if (type !== 'user' && type !== 'client-id' && type !== 'ip') throw invalid(`Unhandled client quota entity type: ${type}`)
    if (name === '') throw invalid(`Empty ${type} not supported`)
  }
  const nameOf = (type: string): string | null => parts.get(type) ?? null
  if (parts.has('ip')) {
    if (parts.size > 1) {
      throw invalid('Invalid quota entity combination, IP entity should not be used with user/client ID entity.')
    }
    return { type: 'ips', name: nameOf('ip') }
  }
  if (!parts.has('user')) return { type: 'clients', name: nameOf('client-id') }
  return { type: 'users', name: nameOf('user'), ...(parts.has('client-id') ? { clientId: nameOf('client-id') } : {}) }
}

/** As ZooKeeper names it: Kafka cannot resolve an IPv6 address with its colons encoded, and its brokers must not meet one. */
async function isAddress({ net }: BrokerServices, name: string | null): Promise<boolean> {
  return name === null || (sanitizeName(name) === name && (await net.lookup(name)) !== undefined)
}

function textOf(
  key: string, value: number, keys: ReadonlyMap<string, 'long' | 'int' | 'double'>, entity: ClientConfigEntity,
): string {
  const type = keys.get(key)
  if (type === undefined) {
    // Kafka knows these keys of a user, and what to do with them here it does not.
    if (entity.type === 'users' && SCRAM_KEYS.has(key)) throw unknown()
    throw invalid(`Invalid configuration key ${key}`)
  }
  if (type === 'double') return formatDouble(value)
  const whole = toWhole(value + EPSILON, type)
  if (Math.abs(Number(whole) - value) > EPSILON) {
    throw invalid(`Configuration ${key} must be a ${type.toUpperCase()} value`)
  }
  return whole.toString()
}

/** As Java casts. */
function toWhole(value: number, type: 'long' | 'int'): bigint {
  if (Number.isNaN(value)) return 0n
  const bits = type === 'long' ? 63n : 31n
  const [least, most] = [-(1n << bits), (1n << bits) - 1n]
  if (value >= Number(most)) return most
  return value <= Number(least) ? least : BigInt(Math.trunc(value))
}

/** What Kafka checks of an entity as a whole before it is written. */
function checkStored(stored: ReadonlyMap<string, string>, entity: ClientConfigEntity): void {
  const isUser = entity.type === 'users' && entity.clientId === undefined && entity.name !== null
  for (const [key, text] of stored) {
    if (entity.type === 'ips') {
      if (!IP_QUOTA_KEYS.has(key) || Number(text) < 0) throw unknown()
    } else if (!CLIENT_QUOTA_KEYS.has(key) && !(isUser && SCRAM_KEYS.has(key))) throw unknown()
  }
}
