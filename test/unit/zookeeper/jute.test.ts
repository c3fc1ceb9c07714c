import fc from 'fast-check'
import { JuteError, JuteReader, JuteWriter } from '../../../zookeeper/jute'

test('what is written is read, whatever the buffer had to grow to', () => {
  const value = fc.record({
    flag: fc.boolean(),
    int: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    long: fc.maxSafeInteger(),
    big: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    text: fc.option(fc.string({ unit: 'grapheme' })),
    bytes: fc.option(fc.uint8Array({ maxLength: 100 })),
    names: fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 5 }),
  })
  fc.assert(
    fc.property(fc.array(value), fc.integer({ min: 1, max: 16 }), (values, capacity) => {
      const writer = new JuteWriter(capacity)
      for (const { flag, int, long, big, text, bytes, names } of values) {
        writer.writeBool(flag)
        writer.writeInt(int)
        writer.writeLong(long)
        writer.writeBigLong(big)
        writer.writeString(text)
        writer.writeBuffer(bytes)
        writer.writeVector(names, (name) => writer.writeString(name))
      }
      const reader = new JuteReader(writer.take())
      for (const { flag, int, long, big, text, bytes, names } of values) {
        expect(reader.readBool()).toBe(flag)
        expect(reader.readInt()).toBe(int)
        expect(reader.readLong()).toBe(long)
        expect(reader.readBigLong()).toBe(big)
        expect(reader.readString()).toBe(text)
        const read = reader.readBuffer()
        expect(read === null ? null : [...read]).toEqual(bytes === null ? null : [...bytes])
        expect(reader.readVector(4, () => reader.readText())).toEqual(names)
      }
      expect(reader.remaining).toBe(0)
    }),
  )
})

test.each([
  ['a string longer than the packet', '7fffffff6162', (reader: JuteReader) => reader.readString()],
  ['a string of a negative length', 'fffffffe', (reader: JuteReader) => reader.readString()],
  ['a buffer longer than the packet', '000000056162', (reader: JuteReader) => reader.readBuffer()],
  [
    'a vector with more elements than bytes',
    '7fffffff00000000',
    (reader: JuteReader) => reader.readVector(4, () => reader.readInt()),
  ],
  ['a vector of a negative length', 'fffffff000000000', (reader: JuteReader) => reader.readVector(4, () => reader.readInt())],
  ['an int of three bytes', '000000', (reader: JuteReader) => reader.readInt()],
  ['no string where one is needed', 'ffffffff', (reader: JuteReader) => reader.readText()],
])('%s is refused before anything is allocated', (_, bytes, read) => {
  expect(() => read(new JuteReader(Buffer.from(bytes, 'hex')))).toThrow(JuteError)
})

test('a null vector is an empty one', () => {
  const reader = new JuteReader(Buffer.from('ffffffff', 'hex'))
  expect(reader.readVector(4, () => reader.readInt())).toEqual([])
})
