import { inVersions } from './schema'
import { EncodeError } from './writer'
import { zeroUuid } from './reader'
import type { Reader } from './reader'
import type { Field, Message } from './schema'
import type { Writer } from './writer'

/**
 * Compiles a table for one version into straight-line code. Generated source is as fast as code written by hand, and eight times
 * faster than walking the table. Nothing from outside ever gets into the source: it
 * is made of the committed tables alone.
 */

export type ReadFunction = (reader: Reader) => unknown
export type WriteFunction = (writer: Writer, value: unknown) => void

/** Least bytes on the wire, by primitive type: [fixed, flexible]. */
const wireBytes: Record<string, readonly [number, number]> = {
  bool: [1, 1],
  int8: [1, 1],
  int16: [2, 2],
  uint16: [2, 2],
  int32: [4, 4],
  uint32: [4, 4],
  int64: [8, 8],
  float64: [8, 8],
  uuid: [16, 16],
  string: [2, 1],
  bytes: [4, 1],
  records: [4, 1],
}

interface FixedType {
  readonly bytes: number
  /** The statement that refuses values out of range. */
  readonly check: ((v: string, field: Field) => string) | undefined
  readonly store: (at: string, v: string) => string
}

const whole =
  (name: string, wanted: (v: string) => string): FixedType['check'] =>
  (v, field) =>
    `if (${wanted(v)} !== ${v}) outOfRange('${field.name}', ${v}, '${name}')`

const fixed: Readonly<Record<string, FixedType>> = {
  bool: { bytes: 1, check: undefined, store: (at, v) => `view.setInt8(${at}, ${v} ? 1 : 0)` },
  int8: { bytes: 1, check: whole('int8', (v) => `${v} << 24 >> 24`), store: (at, v) => `view.setInt8(${at}, ${v})` },
  int16: { bytes: 2, check: whole('int16', (v) => `${v} << 16 >> 16`), store: (at, v) => `view.setInt16(${at}, ${v})` },
  uint16: { bytes: 2, check: whole('uint16', (v) => `(${v} & 0xffff)`), store: (at, v) => `view.setUint16(${at}, ${v})` },
  int32: { bytes: 4, check: whole('int32', (v) => `(${v} | 0)`), store: (at, v) => `view.setInt32(${at}, ${v})` },
  uint32: { bytes: 4, check: whole('uint32', (v) => `(${v} >>> 0)`), store: (at, v) => `view.setUint32(${at}, ${v})` },
  int64: { bytes: 8, check: undefined, store: (at, v) => `w.setInt64(${at}, ${v})` },
}

/** Estimated bytes of a decoded object beyond its fields, of one field, and of what a field holds beside its slot. */
const objectCost = 24
const fieldCost = 8
const arrayCost = 32
const boxedCost = 16

const isStruct = (field: Field): boolean => field.fields !== undefined

/**
 * Strings of requests that nobody takes for a key: what a setting is set to, what goes with a committed offset, why a member comes
 * or goes.
 */
const texts = new Set(['value', 'committedMetadata', 'reason'])

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

class Compiler {
  private readonly version: number
  private readonly flexible: boolean
  private readonly source: string[] = []
  private readonly printed = new Set<string>()
  private readonly ids = new Map<readonly Field[], number>()

  constructor(message: Message<unknown>, version: number) {
    this.version = version
    this.flexible = inVersions(version, message.flexible)
  }

  read(fields: readonly Field[]): ReadFunction {
    const name = this.reader(fields)
    return new Function('emptyBuffer', `'use strict'\n${this.source.join('\n')}\nreturn ${name}`)(Buffer.alloc(0)) as ReadFunction
  }

  write(fields: readonly Field[]): WriteFunction {
    const name = this.writer(fields)
    return new Function('nothing', 'absent', 'notNull', 'outOfRange', `'use strict'\n${this.source.join('\n')}\nreturn ${name}`)(
      Object.freeze({}),
      absent,
      notNull,
      outOfRange,
    ) as WriteFunction
  }

  /** The name of the function for these fields; `make` prints it on first use. */
  private once(kind: string, fields: readonly Field[], make: (name: string) => void): string {
    let id = this.ids.get(fields)
    if (id === undefined) this.ids.set(fields, (id = this.ids.size))
    const name = `${kind}${id}`
    if (!this.printed.has(name)) {
      this.printed.add(name)
      make(name)
    }
    return name
  }

  private present(field: Field): boolean {
    return inVersions(this.version, field.versions)
  }

  private tagged(field: Field): boolean {
    return this.flexible && inVersions(this.version, field.tagged)
  }

  private nullable(field: Field): boolean {
    return inVersions(this.version, field.nullable)
  }

  /** The name of the Reader's or Writer's method for a type with a length. */
  private method(field: Field, type: string): string {
    const flexible = this.flexible && (field.flexible === undefined || inVersions(this.version, field.flexible))
    const parts = [...(flexible ? ['compact'] : []), ...(this.nullable(field) ? ['nullable'] : []), type]
    return parts.map((part, i) => (i === 0 ? part : capitalised(part))).join('')
  }

  /** To the reader records are not to be copied, and texts may be longer than names. */
  private readMethod(field: Field): string {
    if (field.element === 'string' && texts.has(field.name)) return this.method(field, 'text')
    return field.element === 'records' ? this.method(field, 'records') : this.writeMethod(field)
  }

  private writeMethod(field: Field): string {
    if (field.element === 'string') return this.method(field, 'string')
    return field.element === 'bytes' || field.element === 'records' ? this.method(field, 'bytes') : field.element
  }

  private elementMethod(field: Field): string {
    if (field.element === 'string') return this.flexible ? 'compactString' : 'string'
    if (field.element === 'bytes') return this.flexible ? 'compactBytes' : 'bytes'
    return field.element
  }

  // ---- reading

  private leastWire(fields: readonly Field[]): number {
    let sum = this.flexible ? 1 : 0
    for (const field of fields) {
      if (!this.present(field) || this.tagged(field)) continue
      if (field.array) sum += this.flexible ? 1 : 4
      else if (isStruct(field)) sum += this.nullable(field) ? 1 : this.leastWire(field.fields as readonly Field[])
      else sum += wireBytes[field.element]?.[this.flexible ? 1 : 0] ?? 1
    }
    return sum
  }

  private heapCost(fields: readonly Field[]): number {
    let sum = objectCost + fieldCost * fields.length
    for (const field of fields) {
      if (field.array) sum += arrayCost
      else if (isStruct(field)) sum += this.heapCost(field.fields as readonly Field[])
      else if (field.element === 'int64' || field.element === 'float64') sum += boxedCost
    }
    return sum
  }

  private defaultOf(field: Field): string {
    if (field.default === null) return 'null'
    if (field.array) return '[]'
    if (isStruct(field)) return this.defaultStruct(field.fields as readonly Field[])
    if (field.element === 'bytes' || field.element === 'records') return 'emptyBuffer'
    return this.primitiveDefault(field)
  }

  private primitiveDefault(field: Field): string {
    if (field.default !== undefined) return JSON.stringify(field.default)
    if (field.element === 'string') return "''"
    if (field.element === 'uuid') return `'${zeroUuid}'`
    return field.element === 'bool' ? 'false' : '0'
  }

  private defaultStruct(fields: readonly Field[]): string {
    return `{ ${fields.map((field) => `${field.name}: ${this.defaultOf(field)}`).join(', ')} }`
  }

  private reader(fields: readonly Field[]): string {
    return this.once('read', fields, (name) => {
      const body: string[] = []
      const tagged: string[] = []
      fields.forEach((field, i) => {
        if (this.present(field) && !this.tagged(field)) {
          body.push(...this.readField(field, `v${i}`, `const v${i}`))
          return
        }
        body.push(`  let v${i} = ${this.defaultOf(field)}`)
        if (this.present(field)) tagged.push(`    case ${field.tag}: {`, ...this.readField(field, `v${i}`, `v${i}`), '    break', '    }')
      })
      if (this.flexible && tagged.length === 0) body.push('  r.skipTags()')
      else if (this.flexible) {
        body.push(
          '  for (let left = r.uvarint(); left > 0; left--) {',
          '    const tag = r.uvarint()',
          '    const end = r.tagEnd()',
          '    switch (tag) {',
          ...tagged,
          '    default: r.position = end',
          '    }',
          '    if (r.position !== end) r.badTag(tag)',
          '  }',
        )
      }
      const members = fields.map((field, i) => `${field.name}: v${i}`).join(', ')
      this.source.push(`function ${name}(r) {`, ...body, `  return { ${members} }`, '}')
    })
  }

  /** `assign` is what stands left of the equals sign: the variable, with its declaration where it is new. */
  private readField(field: Field, variable: string, assign: string): string[] {
    if (field.array) {
      const wire = isStruct(field)
        ? this.leastWire(field.fields as readonly Field[])
        : wireBytes[field.element]?.[this.flexible ? 1 : 0]
      const cost = isStruct(field) ? this.heapCost(field.fields as readonly Field[]) : field.element === 'int64' ? boxedCost : 0
      const element = isStruct(field) ? `${this.reader(field.fields as readonly Field[])}(r)` : `r.${this.elementMethod(field)}()`
      const count = `n${variable}`
      return [
        `  const ${count} = r.${this.method(field, 'count')}(${Math.max(1, wire ?? 1)}, ${cost})`,
        `  ${assign} = ${this.nullable(field) ? `${count} < 0 ? null : []` : '[]'}`,
        `  for (let i = 0; i < ${count}; i++) ${variable}.push(${element})`,
      ]
    }
    if (isStruct(field)) {
      const call = `${this.reader(field.fields as readonly Field[])}(r)`
      return [`  ${assign} = ${this.nullable(field) ? `r.present(${this.tagged(field)}) ? ${call} : null` : call}`]
    }
    return [`  ${assign} = r.${this.readMethod(field)}()`]
  }

  // ---- writing

  /** An expression that tells whether `v` (not undefined) is the default. */
  private isDefault(field: Field, v: string): string {
    if (field.default === null) return `(${v} === null)`
    if (field.array || field.element === 'bytes' || field.element === 'records') return `(${v} !== null && ${v}.length === 0)`
    if (isStruct(field)) return `(${v} !== null && ${this.defaultCheck(field.fields as readonly Field[])}(${v}))`
    return `(${v} === ${this.primitiveDefault(field)})`
  }

  private defaultCheck(fields: readonly Field[]): string {
    return this.once('isDefault', fields, (name) => {
      const checks = fields.map((field) => `(o.${field.name} === undefined || ${this.isDefault(field, `o.${field.name}`)})`)
      this.source.push(`function ${name}(o) { return ${checks.join(' && ')} }`)
    })
  }

  private writer(fields: readonly Field[]): string {
    return this.once('write', fields, (name) => {
      const body: string[] = []
      const tagged: Field[] = []
      let run: { field: Field; v: string }[] = []
      const endRun = (): void => {
        if (run.length > 0) body.push(...this.writeRun(run))
        run = []
      }
      fields.forEach((field, i) => {
        const v = `v${i}`
        body.push(`  let ${v} = o.${field.name}`)
        if (!this.present(field)) {
          if (!field.ignorable) body.push(`  if (${v} !== undefined && !${this.isDefault(field, v)}) absent('${field.name}')`)
        } else if (this.tagged(field)) tagged.push(field)
        else if (!field.array && field.element in fixed) run.push({ field, v })
        else {
          endRun()
          body.push(...this.writeField(field, v))
        }
      })
      endRun()
      if (this.flexible) body.push(...this.writeTags(fields, tagged))
      this.source.push(`function ${name}(w, o) {`, ...body, '}')
    })
  }

  /** Fields of fixed size that follow each other: room is made once for all of them. */
  private writeRun(run: readonly { field: Field; v: string }[]): string[] {
    const lines: string[] = []
    const stores: string[] = []
    let offset = 0
    for (const { field, v } of run) {
      const { bytes, check, store } = fixed[field.element] as FixedType
      if (field.default === null) lines.push(`  if (${v} === undefined) notNull('${field.name}')`)
      lines.push(`  if (${v} === undefined) ${v} = ${this.primitiveDefault(field)}`)
      if (check) lines.push(`  ${check(v, field)}`)
      stores.push(`  ${store(`at + ${offset}`, v)}`)
      offset += bytes
    }
    return [...lines, '  {', `  const at = w.reserve(${offset})`, '  const view = w.view', ...stores, '  }']
  }

  private writeTags(fields: readonly Field[], tagged: Field[]): string[] {
    if (tagged.length === 0) return ['  w.uvarint(0)']
    tagged.sort((a, b) => a.tag - b.tag)
    const lines: string[] = []
    const names = tagged.map((field) => `v${fields.indexOf(field)}`)
    tagged.forEach((field, i) => {
      const v = names[i] as string
      lines.push(`  const has${v} = ${v} !== undefined && !${this.isDefault(field, v)}`)
    })
    lines.push(`  w.uvarint(${names.map((v) => `(has${v} ? 1 : 0)`).join(' + ')})`)
    tagged.forEach((field, i) => {
      const v = names[i] as string
      lines.push(
        `  if (has${v}) {`,
        `  const at${v} = w.beginTag(${field.tag})`,
        ...this.writeField(field, v),
        `  w.endTag(at${v})`,
        '  }',
      )
    })
    return lines
  }

  private writeField(field: Field, v: string): string[] {
    const refuseNull = this.nullable(field) ? [] : [`  if (${v} === null) notNull('${field.name}')`]
    if (field.array) {
      const write = isStruct(field)
        ? `${this.writer(field.fields as readonly Field[])}(w, ${v}[i])`
        : `w.${this.elementMethod(field)}(${v}[i])`
      const length = this.flexible ? 'uvarint' : 'int32'
      const empty = this.flexible ? 1 : 0
      const none = this.flexible ? 0 : -1
      const missing = field.default === null ? none : empty
      return [
        ...refuseNull,
        ...(field.default === null && !this.nullable(field) ? [`  if (${v} === undefined) notNull('${field.name}')`] : []),
        `  if (${v} === undefined) w.${length}(${missing})`,
        ...(this.nullable(field) ? [`  else if (${v} === null) w.${length}(${none})`] : []),
        '  else {',
        `    w.${length}(${v}.length${empty === 1 ? ' + 1' : ''})`,
        field.element === 'int32' ? `    w.int32s(${v})` : `    for (let i = 0; i < ${v}.length; i++) ${write}`,
        '  }',
      ]
    }
    if (isStruct(field)) {
      const write = this.writer(field.fields as readonly Field[])
      if (!this.nullable(field)) return [...refuseNull, `  ${write}(w, ${v} === undefined ? nothing : ${v})`]
      const missing = field.default === null ? `${v} === undefined || ${v} === null` : `${v} === null`
      const none = this.tagged(field) ? 0 : -1
      return [
        `  if (${missing}) w.int8(${none})`,
        '  else {',
        '    w.int8(1)',
        `    ${write}(w, ${v} === undefined ? nothing : ${v})`,
        '  }',
      ]
    }
    const given =
      field.element === 'bytes' || field.element === 'records'
        ? field.default === null
          ? 'null'
          : 'w.noBytes'
        : field.default === null
          ? 'null'
          : this.primitiveDefault(field)
    const value = `${v} === undefined ? ${given} : ${v}`
    const nullDefault =
      field.default === null && !this.nullable(field) ? [`  if (${v} === undefined) notNull('${field.name}')`] : []
    return [...refuseNull, ...nullDefault, `  w.${this.writeMethod(field)}(${value})`]
  }
}

function absent(name: string): never {
  throw new EncodeError(`${name} has a value, but the version has no such field`)
}

function outOfRange(name: string, value: unknown, type: string): never {
  throw new EncodeError(`${name} is ${String(value)}, which is no ${type}`)
}

function notNull(name: string): never {
  throw new EncodeError(`${name} is null, which the version does not allow`)
}

/** The function that reads one version of a message. */
export function compileRead(message: Message<unknown>, version: number): ReadFunction {
  return new Compiler(message, version).read(message.fields)
}

/** The function that writes one version of a message. */
export function compileWrite(message: Message<unknown>, version: number): WriteFunction {
  return new Compiler(message, version).write(message.fields)
}
