import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { CLIENT_QUOTA_KEYS, IP_QUOTA_KEYS } from './quota-keys'
import type {
  ComponentData, DescribeClientQuotasRequest, DescribeClientQuotasResponse, EntryData,
} from '../../protocol/messages/describe-client-quotas'
import type { Input } from '../../protocol/messages/schema'
import type { ClientConfigStore, StoredClientConfig } from '../config/client-config-store'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

const EXACT = 0
const DEFAULT = 1
const ANY = 2

const SHORT_NAMES: Readonly<Record<string, string>> = { user: 'user', 'client-id': 'client', ip: 'ip' }

/** What is asked of one part of an entity: a name, the default (null), or any. */
type Wanted = string | null | typeof ANY

/**
 * DescribeClientQuotas 0-1, on any broker, from ZooKeeper itself. A component that is named must be there and match; another one
 * may be there unless `strict` (Kafka's ZkAdminManager.describeClientQuotas).
 */
export function describeClientQuotasHandler(
  services: BrokerServices,
): Handler<DescribeClientQuotasRequest, DescribeClientQuotasResponse> {
  return async (context) => {
    const { components, strict } = context.body
    try {
      const wanted = filterOf(components)
      const entries = await describe(services.clientConfigs, wanted, strict)
      context.respond({ entries })
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      context.respond({ errorCode: error.code, errorMessage: error.message, entries: null })
    }
  }
}

function filterOf(components: readonly ComponentData[]): ReadonlyMap<string, Wanted> {
  const wanted = new Map<string, Wanted>()
  for (const { entityType, matchType, match } of components) {
    const shortName = SHORT_NAMES[entityType]
    if (entityType === '') throw invalid('Unexpected empty filter component entity type')
    if (shortName === undefined || !Object.hasOwn(SHORT_NAMES, entityType)) {
      throw new ProtocolError(ErrorCode.UNSUPPORTED_VERSION, `Custom entity type '${entityType}' not supported`)
    }
    if (wanted.has(entityType)) throw invalid(`Duplicate ${shortName} filter component entity type`)
    if (matchType < EXACT || matchType > ANY) throw invalid(`There is no match type ${matchType}.`)
    if (matchType === EXACT && match === null) throw invalid('An exact match needs a name.')
    wanted.set(entityType, matchType === EXACT ? match : matchType === DEFAULT ? null : ANY)
  }
  if (wanted.has('ip') && wanted.size > 1) {
    throw invalid(
      'Invalid entity filter component combination, IP filter component should not be used with '
      + 'user or clientId filter component.',
    )
  }
  return wanted
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(ErrorCode.INVALID_REQUEST, message)
}

async function describe(
  store: ClientConfigStore, wanted: ReadonlyMap<string, Wanted>, strict: boolean,
): Promise<Input<EntryData>[]> {
  const stored = await candidates(store, wanted, strict)
  return stored.flatMap((each): Input<EntryData>[] => {
    const entity = partsOf(each)
    for (const [type, name] of wanted) {
      const found = entity.get(type)
      if (found === undefined || (name !== ANY && name !== found)) return []
    }
    if (strict && entity.size > wanted.size) return []
    const keys = entity.has('ip') ? IP_QUOTA_KEYS : CLIENT_QUOTA_KEYS
    const present = [...keys.keys()].filter((key) => each.config.has(key))
    const values = present.map((key) => ({ key, value: numberOf(each.config.get(key)!) }))
    if (values.length === 0) return []
    return [{ entity: [...entity].map(([entityType, entityName]) => ({ entityType, entityName })), values }]
  })
}

/** Everything that may match; one entity alone where it is named in full. */
async function candidates(
  store: ClientConfigStore, wanted: ReadonlyMap<string, Wanted>, strict: boolean,
): Promise<StoredClientConfig[]> {
  const isNamed = (type: string): boolean => wanted.has(type) && wanted.get(type) !== ANY
  const nameOf = (type: string): string | null => wanted.get(type) as string | null
  const one = async (entity: StoredClientConfig['entity']): Promise<StoredClientConfig[]> => [
    { entity, config: await store.read(entity) },
  ]
  if (isNamed('ip')) return one({ type: 'ips', name: nameOf('ip') })
  if (isNamed('user') && isNamed('client-id')) {
    return one({ type: 'users', name: nameOf('user'), clientId: nameOf('client-id') })
  }
  if (strict && isNamed('user') && wanted.size === 1) return one({ type: 'users', name: nameOf('user') })
  if (strict && isNamed('client-id') && wanted.size === 1) return one({ type: 'clients', name: nameOf('client-id') })
  const types: ('users' | 'clients' | 'clientsOfUsers' | 'ips')[] = []
  if (!wanted.has('ip') && !wanted.has('client-id')) types.push('users')
  if (!wanted.has('ip') && !wanted.has('user')) types.push('clients')
  if (!wanted.has('ip') && (!strict || wanted.size === 2)) types.push('clientsOfUsers')
  if (!wanted.has('user') && !wanted.has('client-id')) types.push('ips')
  return (await Promise.all(types.map((type) => store.readAll(type)))).flat()
}

function partsOf({ entity }: StoredClientConfig): Map<string, string | null> {
  if (entity.type === 'ips') return new Map([['ip', entity.name]])
  if (entity.type === 'clients') return new Map([['client-id', entity.name]])
  const parts = new Map([['user', entity.name]])
  if (entity.clientId !== undefined) parts.set('client-id', entity.clientId)
  return parts
}

function numberOf(text: string): number {
  const value = text.trim() === '' ? NaN : Number(text)
  // Java's own way of writing them is Number's too, but for what no broker has written.
  if (Number.isNaN(value)) throw new ProtocolError(ErrorCode.UNKNOWN_SERVER_ERROR, `A quota in ZooKeeper is no number: ${text}`)
  return value
}
