/** JSON that a user wrote into a file, with the complaints of Kafka's tools. */
import { readFileSync } from 'node:fs'

/** Throws an Error in Kafka's words. */
export function readTextFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new Error(`Unable to read file ${file}`)
  }
}

/** undefined where it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** As Jackson names what it found. */
function shown(value: unknown): string {
  return JSON.stringify(value)
}

export function objectIn(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`Expected JSON object, received ${shown(value)}`)
  return value as Record<string, unknown>
}

export function arrayIn(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Error(`Expected JSON array, received ${shown(value)}`)
  return value
}

export function fieldIn(object: Record<string, unknown>, name: string): unknown {
  if (!Object.hasOwn(object, name)) throw new Error(`No such field exists: \`${name}\``)
  return object[name]
}

export function stringIn(object: Record<string, unknown>, name: string): string {
  const value = fieldIn(object, name)
  if (typeof value !== 'string') throw new Error(`Expected \`String\` value, received ${shown(value)}`)
  return value
}

export function integerIn(object: Record<string, unknown>, name: string, type: 'Integer' | 'Long' = 'Integer'): number {
  const value = fieldIn(object, name)
  const limit = type === 'Integer' ? 2 ** 31 : 2 ** 63
  if (typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) > limit)
    throw new Error(`Expected \`${type}\` value, received ${shown(value)}`)
  return value
}

/** `version` of a file, 1 where it says nothing. */
export function versionIn(object: Record<string, unknown>): number {
  return Object.hasOwn(object, 'version') ? integerIn(object, 'version') : 1
}
