import { decodeJson, encodeJson } from './znode-json'

export const configRootPath = '/config'

export const configTypes = ['topics', 'clients', 'users', 'brokers', 'ips'] as const
export type ConfigType = (typeof configTypes)[number]

/** The name of the entity that stands for all that have none of their own. */
export const DEFAULT_ENTITY = '<default>'

export function configTypePath(type: ConfigType): string {
  return `${configRootPath}/${type}`
}

/** `name` is what a user calls it; it is sanitized here. */
export function configPath(type: ConfigType, name: string): string {
  return `${configRootPath}/${configEntityPath(type, name)}`
}

/** `topics/foo`: what a change notification names. */
export function configEntityPath(type: ConfigType, name: string): string {
  return `${type}/${sanitizeEntity(name)}`
}

/** Quotas of a client of a user: `users/<user>/clients/<client>`. */
export function userClientEntityPath(user: string, clientId: string): string {
  return `users/${sanitizeEntity(user)}/clients/${sanitizeEntity(clientId)}`
}

/** `entityPath` as a change notification has it. */
export function configPathOfEntity(entityPath: string): string {
  return `${configRootPath}/${entityPath}`
}

export type ConfigEntity =
  { type: Exclude<ConfigType, 'users'>; name: string } | { type: 'users'; name: string; clientId?: string }

/** The entity that a notification's path names, by the names that users give; undefined if it names none. */
export function parseEntityPath(entityPath: string): ConfigEntity | undefined {
  const [type, name, clients, clientId, ...rest] = entityPath.split('/')
  if (name === undefined || name === '' || rest.length > 0) return undefined
  if (!(configTypes as readonly string[]).includes(type!)) return undefined
  if (clients === undefined) return { type: type as ConfigType, name: desanitizeEntity(name) }
  if (type !== 'users' || clients !== 'clients' || clientId === undefined || clientId === '') return undefined
  return { type: 'users', name: desanitizeEntity(name), clientId: desanitizeEntity(clientId) }
}

/** Kafka's Sanitizer: percent-encoded UTF-8, all but letters, digits, dot, underscore and hyphen. `<default>` stays. */
export function sanitizeEntity(name: string): string {
  return name === DEFAULT_ENTITY ? name : sanitizeName(name)
}

/** Of a name that may not stand for the default, whatever it is. */
export function sanitizeName(name: string): string {
  // Through bytes, since encodeURIComponent throws on half a surrogate pair.
  const encoded = encodeURIComponent(Buffer.from(name).toString())
  return encoded.replace(/[!'()*~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** A name that is not percent-encoded correctly is taken as it stands. */
export function desanitizeEntity(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/** Values are texts always. Keys come in the order of the map. */
export function encodeConfig(config: ReadonlyMap<string, string>): Buffer {
  return encodeJson({ version: 1, config: Object.fromEntries(config) })
}

/** No data, or data without `config`, are an empty configuration, as in Kafka. Throws ZnodeFormatError. */
export function decodeConfig(path: string, data: Buffer | null): Map<string, string> {
  if (data === null || data.length === 0) return new Map()
  const config = decodeJson(path, data).object('config')
  return new Map(config.keys().map((key) => [key, config.string(key)]))
}
