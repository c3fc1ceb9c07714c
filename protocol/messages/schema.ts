/**
 * The table form of Kafka's message definitions: one `Message` per request, response, header or internal record.
 * The tables are generated (scripts/generate-messages.mjs); codec.ts compiles them per version.
 */

/** A closed range of versions; `last` is Infinity for '3+'. An empty range ('none') has first > last. */
export interface Versions {
  readonly first: number
  readonly last: number
}

export type PrimitiveType =
  'bool' | 'int8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'int64' | 'float64' | 'string' | 'uuid' | 'bytes' | 'records'

export type Default = string | number | boolean | null | undefined

/** One field. `element` is a primitive or the name of a struct, whose fields are then in `fields`. */
export interface Field {
  readonly name: string
  readonly element: string
  readonly array: boolean
  readonly versions: Versions
  readonly nullable: Versions
  readonly tagged: Versions
  readonly tag: number
  /** undefined stands for the zero of the type: 0, false, '', no bytes, no elements, a struct of defaults. */
  readonly default: Default
  /** A value that is not the default is silently left out of a version that lacks the field; else encoding it fails. */
  readonly ignorable: boolean
  /** Overrides the message's flexible versions for this field's own encoding (only the client id of the header). */
  readonly flexible: Versions | undefined
  readonly fields: readonly Field[] | undefined
}

/** The definition of one message. The type parameter is what decoding gives. */
export interface Message<T> {
  readonly name: string
  readonly versions: Versions
  readonly flexible: Versions
  readonly fields: readonly Field[]
  /** Compiled codecs by version; belongs to codec.ts. */
  readonly compiled: unknown[]
  /** Never set: carries the type. */
  readonly type?: T
}

/** What encoding takes: every field may be missing, and then has its default. */
export type Input<T> = T extends Buffer
  ? Uint8Array
  : T extends readonly (infer E)[]
    ? readonly Input<E>[]
    : T extends object
      ? { readonly [K in keyof T]?: Input<T[K]> | undefined }
      : T

export interface FieldOptions {
  versions?: string
  nullable?: string
  tagged?: string
  tag?: number
  default?: Default
  ignorable?: boolean
  flexible?: string
}

const always: Versions = { first: 0, last: Infinity }
const never: Versions = { first: 1, last: 0 }

/** Kafka's notation: '3', '0-4', '2+', 'none'. */
export function parseVersions(text: string): Versions {
  if (text === 'none') return never
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text)
  if (!match) throw new Error(`malformed version range '${text}'`)
  const first = Number(match[1])
  return { first, last: match[2] ? Infinity : match[3] === undefined ? first : Number(match[3]) }
}

export function inVersions(version: number, versions: Versions): boolean {
  return version >= versions.first && version <= versions.last
}

/** A field of a table. `type` is Kafka's: 'int32', '[]string', 'SomeStruct', '[]SomeStruct'. */
export function f(name: string, type: string, options: FieldOptions = {}, fields?: readonly Field[]): Field {
  const array = type.startsWith('[]')
  return {
    name,
    element: array ? type.slice(2) : type,
    array,
    versions: options.versions === undefined ? always : parseVersions(options.versions),
    nullable: options.nullable === undefined ? never : parseVersions(options.nullable),
    tagged: options.tagged === undefined ? never : parseVersions(options.tagged),
    tag: options.tag ?? -1,
    default: options.default,
    ignorable: options.ignorable ?? false,
    flexible: options.flexible === undefined ? undefined : parseVersions(options.flexible),
    fields,
  }
}

/** A message of a table. */
export function message<T>(name: string, versions: string, flexible: string, fields: readonly Field[]): Message<T> {
  return { name, versions: parseVersions(versions), flexible: parseVersions(flexible), fields, compiled: [] }
}
