import { inVersions } from '../../protocol/messages/schema'
import type { Field, Message } from '../../protocol/messages/schema'

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/**
 * A message as Kafka's JsonConverters write it: the fields of its version, bytes in base64, tagged fields only when they are
 * set.
 */
export function messageJson<T>(message: Message<T>, version: number, value: T): { [name: string]: Json } {
  return structJson(message.fields, version, value as Record<string, unknown>)
}

function structJson(fields: readonly Field[], version: number, value: Record<string, unknown>): { [name: string]: Json } {
  const json: { [name: string]: Json } = {}
  for (const field of fields) {
    if (!inVersions(version, field.versions)) continue
    const content = value[field.name]
    if (inVersions(version, field.tagged) && isDefault(field, content)) continue
    json[field.name] =
      field.array && Array.isArray(content)
        ? content.map((each) => itemJson(field, version, each))
        : itemJson(field, version, content)
  }
  return json
}

function itemJson(field: Field, version: number, value: unknown): Json {
  if (value === null || value === undefined) return null
  if (Buffer.isBuffer(value)) return value.toString('base64')
  return field.fields === undefined ? (value as Json) : structJson(field.fields, version, value as Record<string, unknown>)
}

function isDefault(field: Field, value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  return value === (field.default ?? null) || value === undefined
}
