import fc from 'fast-check'
import { readVarint, readVarlong, varintSize, varlongSize, writeVarint, writeVarlong } from '../../../../protocol/records/varint'

const cursorOf = (bytes: Buffer) => ({ bytes, at: 0, end: bytes.length })

/** The same by BigInt: the plain definition of zigzag LEB128. */
function reference(value: bigint): Buffer {
  let raw = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const bytes: number[] = []
  do {
    bytes.push(Number(raw & 0x7fn) | (raw > 0x7fn ? 0x80 : 0))
    raw >>= 7n
  } while (raw > 0n)
  return Buffer.from(bytes)
}

test('varints are zigzag LEB128', () => {
  fc.assert(fc.property(fc.integer({ min: -0x80000000, max: 0x7fffffff }), (value) => {
    const bytes = Buffer.alloc(5)
    const end = writeVarint(bytes, 0, value)
    expect(bytes.subarray(0, end)).toEqual(reference(BigInt(value)))
    expect(varintSize(value)).toBe(end)
    expect(readVarint(cursorOf(bytes.subarray(0, end)))).toBe(value)
  }), { numRuns: 1000 })
})

const edges = [0, -1, 63, 64, -64, -65, 2 ** 31, -(2 ** 31), 2 ** 31 - 1, 2 ** 53 - 1, -(2 ** 53) + 1, 2 ** 27, 2 ** 28, 2 ** 55]

test('varlongs are zigzag LEB128, exact to 2^53', () => {
  const check = (value: number) => {
    const bytes = Buffer.alloc(10)
    const end = writeVarlong(bytes, 0, value)
    expect(bytes.subarray(0, end)).toEqual(reference(BigInt(value)))
    expect(varlongSize(value)).toBe(end)
    expect(readVarlong(cursorOf(bytes.subarray(0, end)))).toBe(value)
  }
  edges.forEach(check)
  fc.assert(fc.property(fc.maxSafeInteger(), check), { numRuns: 1000 })
})

test('the extremes of 64 bits are read as the nearest number', () => {
  expect(readVarlong(cursorOf(reference(2n ** 63n - 1n)))).toBe(2 ** 63)
  expect(readVarlong(cursorOf(reference(-(2n ** 63n))))).toBe(-(2 ** 63))
})

test('what is cut off or too long is refused', () => {
  expect(() => readVarint(cursorOf(Buffer.from([0x80])))).toThrow(/ends after/)
  expect(() => readVarint(cursorOf(Buffer.alloc(6, 0x80)))).toThrow(/longer than 5/)
  expect(() => readVarlong(cursorOf(Buffer.alloc(9, 0x80)))).toThrow(/ends after/)
  expect(() => readVarlong(cursorOf(Buffer.alloc(11, 0x80)))).toThrow(/longer than 10/)
})
