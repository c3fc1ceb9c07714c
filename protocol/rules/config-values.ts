/**
 * Values of configuration keys: their types, how text becomes a value, and what is allowed (Kafka's ConfigDef). The messages are
 * Kafka's, since clients print them.
 */
import { parseMetadataVersion } from './metadata-version'

export type ConfigType = 'boolean' | 'string' | 'int' | 'short' | 'long' | 'double' | 'list' | 'class' | 'password'

/** A parsed value. 64-bit integers are numbers: Long.MAX is 2^63. */
export type ConfigValue = boolean | number | string | string[] | null

/** The numbers of the types in DescribeConfigs answers. */
export const configTypeIds: Readonly<Record<ConfigType, number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
}

/** 2^63: what Long.MAX_VALUE reads as. */
export const LONG_MAX = 9223372036854775807
export const LONG_MAX_TEXT = '9223372036854775807'
const LONG_MIN_TEXT = '-9223372036854775808'

/** A configuration that cannot be used. The message names the key. */
export class ConfigError extends Error {
  override name = 'ConfigError'
  readonly code = 'INVALID_CONFIG'
  readonly key: string | undefined

  constructor(message: string, key?: string) {
    super(message)
    this.key = key
  }

  /** `value` as it is to be printed; a list in brackets, as Java prints it. */
  static value(key: string, value: string | readonly string[] | null, problem: string): ConfigError {
    const text = typeof value === 'string' || value === null ? String(value) : `[${value.join(', ')}]`
    return new ConfigError(`Invalid value ${text} for configuration ${key}: ${problem}`, key)
  }
}

const integerRanges = {
  int: [-2147483648n, 2147483647n],
  short: [-32768n, 32767n],
  long: [-9223372036854775808n, 9223372036854775807n],
} as const

/** Text to value. Throws ConfigError. */
export function parseConfigValue(key: string, type: ConfigType, text: string): ConfigValue {
  const trimmed = text.trim()
  switch (type) {
    case 'boolean': {
      const lower = trimmed.toLowerCase()
      if (lower !== 'true' && lower !== 'false') throw ConfigError.value(key, text, 'Expected value to be either true or false')
      return lower === 'true'
    }
    case 'int':
    case 'short':
    case 'long':
      return Number(parseInteger(key, type, text))
    case 'double':
      return parseDouble(key, text)
    case 'list':
      return trimmed === '' ? [] : trimmed.split(/\s*,\s*/)
    case 'string':
    case 'class':
    case 'password':
      return trimmed
  }
}

function parseInteger(key: string, type: keyof typeof integerRanges, text: string): bigint {
  const trimmed = text.trim()
  const [min, max] = integerRanges[type]
  const value = /^[+-]?\d{1,30}$/.test(trimmed) ? BigInt(trimmed.replace('+', '')) : undefined
  if (value === undefined || value < min || value > max) {
    throw ConfigError.value(key, text, `Not a number of type ${type.toUpperCase()}`)
  }
  return value
}

function parseDouble(key: string, text: string): number {
  const trimmed = text.trim()
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[fFdD]?$/.test(trimmed)) return Number.parseFloat(trimmed)
  if (/^[+-]?(NaN|Infinity)$/.test(trimmed)) return Number(trimmed)
  throw ConfigError.value(key, text, 'Not a number of type DOUBLE')
}

/**
 * The text that Kafka shows for a value given as `text`: numbers without leading zeros, lists without blanks, exact for every
 * 64-bit integer. Throws ConfigError where the text is no value of the type.
 */
export function canonicalConfigText(key: string, type: ConfigType, text: string): string {
  switch (type) {
    case 'int':
    case 'short':
    case 'long':
      return parseInteger(key, type, text).toString()
    case 'double':
      return formatDouble(parseDouble(key, text))
    case 'list':
      return (parseConfigValue(key, type, text) as string[]).join(',')
    default:
      return String(parseConfigValue(key, type, text))
  }
}

/** A number as Java's Double.toString writes it. */
export function formatDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const magnitude = Math.abs(value)
  if (magnitude === 0 || (magnitude >= 1e-3 && magnitude < 1e7)) {
    return Number.isInteger(value) ? `${Object.is(value, -0) ? '-0' : value}.0` : String(value)
  }
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`
}

/** A value as text, for a value that was computed rather than given. */
export function formatConfigValue(type: ConfigType, value: ConfigValue): string | null {
  if (value === null) return null
  if (Array.isArray(value)) return value.join(',')
  if (typeof value !== 'number') return String(value)
  if (type === 'double') return formatDouble(value)
  return Math.abs(value) >= LONG_MAX ? (value > 0 ? LONG_MAX_TEXT : LONG_MIN_TEXT) : String(value)
}

/** Checks a parsed value against the rule that the key table writes down, e.g. `[1,...]`. Throws ConfigError. */
export function checkConfigValue(key: string, type: ConfigType, rule: string | null, value: ConfigValue): void {
  if (rule === null) return
  const range = /^\[(-?[\d.]+),\.\.\.(?:,([\d.]+))?\](?: or (-?\d+))?$/.exec(rule)
  if (range !== null) return checkRange(key, type, range, value)
  if (rule.startsWith('[partitionId]')) return checkThrottledReplicas(key, value as string[])
  if (rule.startsWith('(case insensitive)')) return checkOneOf(key, namesOf(rule.slice(19)), value as string, true)
  if (rule.startsWith('[')) {
    const names = namesOf(rule)
    if (Array.isArray(value)) for (const each of value) checkOneOf(key, names, each, false)
    else checkOneOf(key, names, value as string, false)
    return
  }
  if (rule.startsWith('a version')) return checkVersion(key, value as string | null)
  if (rule === 'non-null string' && value === null) throw ConfigError.value(key, 'null', 'entry must be non null')
  if (rule === 'non-empty string' && value === '') throw ConfigError.value(key, value, 'String must be non-empty')
}

function namesOf(rule: string): string[] {
  return rule.slice(1, -1).split(', ')
}

function checkRange(key: string, type: ConfigType, range: RegExpExecArray, value: ConfigValue): void {
  const [, min, max, exception] = range as unknown as [string, string, string | undefined, string | undefined]
  if (value === null) throw ConfigError.value(key, null, 'Value must be non-null')
  const number = value as number
  const text = formatConfigValue(type, number)
  if (exception !== undefined) {
    if (number === Number(exception)) return
    if (number >= Number(min) && (max === undefined || number <= Number(max))) return
    const bounds = max === undefined ? `at least ${min}` : `between ${min} and ${max}`
    throw ConfigError.value(key, text, `Value must be ${bounds} or equal to ${exception}`)
  }
  if (number < Number(min)) throw ConfigError.value(key, text, `Value must be at least ${min}`)
  if (max !== undefined && number > Number(max)) throw ConfigError.value(key, text, `Value must be no more than ${max}`)
}

function checkOneOf(key: string, names: string[], value: string, anyCase: boolean): void {
  if (names.includes(anyCase ? value.toUpperCase() : value)) return
  throw ConfigError.value(key, value, `String must be one of${anyCase ? ' (case insensitive)' : ''}: ${names.join(', ')}`)
}

function checkThrottledReplicas(key: string, value: string[]): void {
  const trimmed = value.map((each) => each.trim())
  if (trimmed.every((each) => /^(\d+:\d+)?$/.test(each)) || trimmed.join('') === '*') return
  const form = '[partitionId]:[brokerId],[partitionId]:[brokerId],...'
  throw ConfigError.value(key, value, `${key} must be the literal '*' or a list of replicas in the following format: ${form}`)
}

function checkVersion(key: string, value: string | null): void {
  if (value === null || parseMetadataVersion(value) === undefined) {
    throw ConfigError.value(key, value, `Version ${String(value)} is not a valid version`)
  }
}
