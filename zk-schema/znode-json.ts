/** A znode that does not hold what its path promises. The caller decides what becomes of it. */
export class ZnodeFormatError extends Error {
  override readonly name = 'ZnodeFormatError'
  readonly path: string

  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`)
    this.path = path
  }
}

/** JSON as Kafka writes it: compact, UTF-8. Keys come in the order of the object. */
export function encodeJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

/** The fields of one JSON object of a znode, read with complaints that name the path and the field. Unknown ones are ignored. */
export class JsonFields {
  private readonly path: string
  private readonly where: string
  private readonly fields: Record<string, unknown>

  constructor(path: string, where: string, fields: Record<string, unknown>) {
    this.path = path
    this.where = where
    this.fields = fields
  }

  has(key: string): boolean {
    return Object.hasOwn(this.fields, key) && this.fields[key] !== null
  }

  /** A whole number within 32 bits, or `fallback` if it is missing or null. */
  int(key: string, fallback?: number): number {
    if (!this.has(key) && fallback !== undefined) return fallback
    const value = this.value(key)
    if (!isInt32(value)) throw this.complaint(key, 'a whole number')
    return value
  }

  /** A 64-bit number, exact, as JSON number or as decimal text. */
  long(key: string, fallback?: number): number {
    if (!this.has(key) && fallback !== undefined) return fallback
    const value = this.value(key)
    const number = typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? Number(value) : value
    if (!Number.isSafeInteger(number)) throw this.complaint(key, 'a whole number')
    return number as number
  }

  string(key: string, fallback?: string): string {
    if (!this.has(key) && fallback !== undefined) return fallback
    const value = this.value(key)
    if (typeof value !== 'string') throw this.complaint(key, 'a text')
    return value
  }

  ints(key: string): number[] {
    const value = this.value(key)
    if (!Array.isArray(value) || !value.every(isInt32)) throw this.complaint(key, 'a list of whole numbers')
    return value
  }

  strings(key: string): string[] {
    const value = this.value(key)
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw this.complaint(key, 'a list of texts')
    return value
  }

  objects(key: string): JsonFields[] {
    const value = this.value(key)
    if (!Array.isArray(value)) throw this.complaint(key, 'a list')
    return value.map((item, index) => fieldsOf(this.path, `${this.where}${key}[${index}].`, item))
  }

  /** An object; an empty one if it is missing or null. */
  object(key: string): JsonFields {
    return fieldsOf(this.path, `${this.where}${key}.`, this.has(key) ? this.fields[key] : {})
  }

  keys(): string[] {
    return Object.keys(this.fields)
  }

  complaint(key: string, expected: string): ZnodeFormatError {
    return new ZnodeFormatError(this.path, `${this.where}${key} is not ${expected}: ${JSON.stringify(this.fields[key])}`)
  }

  private value(key: string): unknown {
    if (!Object.hasOwn(this.fields, key)) throw new ZnodeFormatError(this.path, `${this.where}${key} is missing`)
    return this.fields[key]
  }
}

/** Throws ZnodeFormatError unless `data` is a JSON object. */
export function decodeJson(path: string, data: Buffer | null): JsonFields {
  if (data === null) throw new ZnodeFormatError(path, 'there are no data')
  let value: unknown
  try {
    value = JSON.parse(data.toString())
  } catch {
    throw new ZnodeFormatError(path, `the data are not JSON: ${excerpt(data)}`)
  }
  return fieldsOf(path, '', value)
}

/** Decimal text within 32 bits. */
export function decodeInt(path: string, data: Buffer | null): number {
  const value = decodeLong(path, data)
  if (!isInt32(value)) throw new ZnodeFormatError(path, `not a number of 32 bits: ${value}`)
  return value
}

/** Decimal text, exact as a number. */
export function decodeLong(path: string, data: Buffer | null): number {
  const text = data === null ? '' : data.toString()
  const value = Number(text)
  if (!/^[+-]?\d{1,19}$/.test(text) || !Number.isSafeInteger(value)) {
    throw new ZnodeFormatError(path, `the data are not a number: ${data === null ? 'none' : excerpt(data)}`)
  }
  return value
}

function fieldsOf(path: string, where: string, value: unknown): JsonFields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ZnodeFormatError(path, `${where === '' ? 'the data are' : `${where.slice(0, -1)} is`} not a JSON object`)
  }
  return new JsonFields(path, where, value as Record<string, unknown>)
}

function isInt32(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= -(2 ** 31) && (value as number) < 2 ** 31
}

function excerpt(data: Buffer): string {
  return JSON.stringify(data.toString('utf8', 0, 80))
}
