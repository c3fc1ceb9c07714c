import * as fc from 'fast-check'
import { inVersions } from '../../../../protocol/messages/schema'
import type { Field, Message } from '../../../../protocol/messages/schema'

const defaultOf = (field: Field): unknown => {
  if (field.default === null) return null
  if (field.array) return []
  if (field.fields) return Object.fromEntries(field.fields.map((each) => [each.name, defaultOf(each)]))
  if (field.default !== undefined) return field.default
  switch (field.element) {
    case 'bool':
      return false
    case 'string':
      return ''
    case 'uuid':
      return 'AAAAAAAAAAAAAAAAAAAAAA'
    case 'bytes':
    case 'records':
      return Buffer.alloc(0)
    default:
      return 0
  }
}

const buffers = fc
  .oneof(
    { weight: 9, arbitrary: fc.uint8Array({ maxLength: 40 }) },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 1000, maxLength: 1100 }) },
  )
  .map((bytes) => Buffer.from(bytes))

const primitives: Record<string, fc.Arbitrary<unknown>> = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -0x80, max: 0x7f }),
  int16: fc.integer({ min: -0x8000, max: 0x7fff }),
  uint16: fc.integer({ min: 0, max: 0xffff }),
  int32: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
  uint32: fc.integer({ min: 0, max: 0xffffffff }),
  int64: fc.oneof(fc.maxSafeInteger(), fc.constantFrom(2 ** 63, -(2 ** 63), -1, 0)),
  float64: fc.double({ noNaN: true }),
  string: fc.oneof(
    { weight: 8, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 30, maxLength: 150 }) },
  ),
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  bytes: buffers,
  records: buffers,
}

const fieldArbitrary = (field: Field, version: number): fc.Arbitrary<unknown> => {
  if (!inVersions(version, field.versions)) return fc.constant(defaultOf(field))
  const element = field.fields ? structArbitrary(field.fields, version) : primitives[field.element]
  if (!element) throw new Error(`no arbitrary for ${field.element}`)
  const value = field.array ? fc.array(element, { maxLength: field.fields ? 3 : 8 }) : element
  return inVersions(version, field.nullable) ? fc.option(value) : value
}

const structArbitrary = (fields: readonly Field[], version: number): fc.Arbitrary<Record<string, unknown>> =>
  fc
    .record(Object.fromEntries(fields.map((field) => [field.name, fieldArbitrary(field, version)])))
    .map((value) => ({ ...value }))

/** Random instances of one version of a message: what decoding can give, fields that the version lacks at their defaults. */
export function arbitraryOf(message: Message<unknown>, version: number): fc.Arbitrary<Record<string, unknown>> {
  return structArbitrary(message.fields, version)
}
