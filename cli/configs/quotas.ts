import { formatDouble } from '../../protocol/rules/config-values'
import { ScramMechanism } from '../../client/admin/maintenance'
import { inHashMapOrder, javaHash, javaMapHash } from '../tool/java-hash-map'
import { UsageError } from '../tool/command-line'
import { checkDeletions } from './changes'
import { saltPassword } from './scram'
import type { MaintenanceAdmin, QuotaEntity, ScramMechanismName } from '../../client/admin/maintenance'

const ENTITY_TYPES: Readonly<Record<string, string>> = { users: 'user', clients: 'client-id', ips: 'ip' }
const SHOWN: readonly (readonly [type: string, name: string])[] = [
  ['user', 'user-principal'],
  ['client-id', 'client-id'],
  ['ip', 'ip'],
]

const out = (text: string): void => void process.stdout.write(`${text}\n`)

/** Quotas of the entities that are meant; a name that is left out means all of its type. */
async function quotasOf(
  admin: MaintenanceAdmin, types: readonly string[], names: readonly string[],
): Promise<{ entity: QuotaEntity; values: Map<string, number> }[]> {
  if (names.length > types.length) throw new UsageError('More entity names specified than entity types', false)
  return admin.describeClientQuotas(
    types.map((type, i) => ({ entityType: ENTITY_TYPES[type]!, match: names[i] === '' ? null : names[i] })),
  )
}

export async function describeQuotas(admin: MaintenanceAdmin, types: readonly string[], names: readonly string[]): Promise<void> {
  const found = await quotasOf(admin, types, names)
  for (const { entity, values } of inHashMapOrder(found, (each) => 31 + javaMapHash(each.entity))) {
    const who = SHOWN.filter(([type]) => entity.has(type)).map(([type, shown]) => {
      const name = entity.get(type)
      return name === null || name === undefined ? `the default ${shown}` : `${shown} '${name}'`
    })
    const rates = inHashMapOrder([...values], ([key]) => javaHash(key)).map(([key, value]) => `${key}=${formatDouble(value)}`)
    out(`Quota configs for ${who.join(', ')} are ${rates.join(', ')}`)
  }
  if (!mayHaveCredentials(types, names)) return
  for (const { user, credentials, error } of await admin.describeUserScramCredentials(names)) {
    const list = credentials.map(({ mechanism, iterations }) => `${mechanismName(mechanism)}=iterations=${iterations}`)
    if (error === undefined) out(`SCRAM credential configs for user-principal '${user}' are ${list.join(', ')}`)
    else out(`Error retrieving SCRAM credential configs for user-principal '${user}': ${error.message}`)
  }
}

function mayHaveCredentials(types: readonly string[], names: readonly string[]): boolean {
  return !types.includes('clients') && !types.includes('ips') && !names.includes('')
}

function mechanismName(id: number): string {
  return Object.entries(ScramMechanism).find(([, each]) => each === id)?.[0] ?? 'UNKNOWN'
}

/** Quotas and credentials for `--json`. */
export async function quotasJson(admin: MaintenanceAdmin, types: readonly string[], names: readonly string[]): Promise<object> {
  const quotas = (await quotasOf(admin, types, names)).map(({ entity, values }) => ({
    entity: Object.fromEntries(entity),
    values: Object.fromEntries(values),
  }))
  const credentials = mayHaveCredentials(types, names) ? await admin.describeUserScramCredentials(names) : []
  return {
    quotas,
    userScramCredentials: credentials.map(({ user, credentials: list, error }) => ({
      name: user,
      ...(error === undefined ? {} : { error: error.message }),
      credentialInfos: list.map(({ mechanism, iterations }) => ({ mechanism: mechanismName(mechanism), iterations })),
    })),
  }
}

export async function alterQuotas(
  admin: MaintenanceAdmin, types: readonly string[], names: readonly string[],
  added: Readonly<Record<string, string>>, deleted: readonly string[],
): Promise<void> {
  const current = (await quotasOf(admin, types, names))[0]?.values
  checkDeletions(deleted, (key) => current?.has(key) === true)
  const changes = new Map<string, number | undefined>()
  for (const [key, text] of Object.entries(added)) {
    const value = text.trim() === '' ? NaN : Number(text)
    if (Number.isNaN(value)) throw new UsageError(`Cannot parse quota configuration value for ${key}: ${text}`, false)
    changes.set(key, value)
  }
  for (const key of deleted) changes.set(key, undefined)
  await admin.alterClientQuotas(new Map(types.map((type, i) => [ENTITY_TYPES[type]!, names[i] === '' ? null : names[i]!])), changes)
}

export async function alterCredentials(
  admin: MaintenanceAdmin, user: string, added: Readonly<Record<string, string>>, deleted: readonly ScramMechanismName[],
): Promise<void> {
  const upsertions = Object.entries(added).map(([mechanism, text]) => saltPassword(mechanism as ScramMechanismName, text))
  await admin.alterUserScramCredentials(user, upsertions, deleted)
}

