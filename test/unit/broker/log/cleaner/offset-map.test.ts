import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { KeyHash } from '../../../../../broker/log/cleaner/key-hash'
import { ENTRY_BYTES, OffsetMap } from '../../../../../broker/log/cleaner/offset-map'

const plain = new Uint8Array(16)

function mapOf(options: Partial<ConstructorParameters<typeof OffsetMap>[0]> = {}): OffsetMap {
  return new OffsetMap({ maxBytes: 1 << 20, loadFactor: 0.9, mostKeys: 1e6, salt: plain, ...options })
}

describe('the hash of a key', () => {
  test('is MD5 where it is not salted', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(7), (key, offset) => {
        const hash = new KeyHash(plain)
        const bytes = Buffer.concat([Buffer.alloc(offset), key, Buffer.from('behind')])
        hash.update(bytes, offset, offset + key.length)
        const expected = createHash('md5').update(key).digest()
        expect(Buffer.from(hash.words.buffer).toString('hex')).toBe(expected.toString('hex'))
      }),
    )
  })

  test('is another with another salt', () => {
    const hashes = [0, 1].map((salt) => {
      const hash = new KeyHash(new Uint8Array(16).fill(salt))
      hash.update(Buffer.from('key'), 0, 3)
      return [...hash.words]
    })
    expect(hashes[0]).not.toEqual(hashes[1])
  })
})

describe('the offset map', () => {
  test('knows the last offset of each key, as a map does', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(400), fc.boolean()), { maxLength: 800 }), (steps) => {
        const map = mapOf({ mostKeys: 401 })
        const model = new Map<string, number>()
        steps.forEach(([number, isRead], offset) => {
          const key = Buffer.from(`key-${number}`)
          if (isRead) {
            expect(map.get(key, 0, key.length)).toBe(model.get(key.toString()) ?? -1)
          } else {
            expect(map.put(key, 0, key.length, offset)).toBe(true)
            model.set(key.toString(), offset)
          }
        })
        expect(map.size).toBe(model.size)
      }),
    )
  })

  test('takes no new key when it is full, and still the keys that it has', () => {
    const map = mapOf({ maxBytes: 50 * ENTRY_BYTES, loadFactor: 0.5 })
    expect([map.slots, map.capacity]).toEqual([47, 23])
    const put = (i: number, offset: number) => map.put(Buffer.from(`${i}`.padStart(4)), 0, 4, offset)
    for (let i = 0; i < 23; i++) expect(put(i, i)).toBe(true)
    expect([map.isFull, put(99, 99), put(5, 1000)]).toEqual([true, false, true])
    expect(map.get(Buffer.from('   5'), 0, 4)).toBe(1000)
    expect(map.utilization).toBeCloseTo(23 / 47)
  })

  test('is not larger than the keys need, nor than it may be', () => {
    expect(mapOf({ mostKeys: 10 }).bytes).toBeLessThan(20 * ENTRY_BYTES)
    expect(mapOf({ mostKeys: 1e9 }).bytes).toBeLessThanOrEqual(1 << 20)
    expect(mapOf({ mostKeys: 1000, loadFactor: 0.7 }).capacity).toBeGreaterThanOrEqual(1000)
    expect(() => mapOf({ maxBytes: ENTRY_BYTES })).toThrow('too small')
  })

  test('a full one finds its keys', () => {
    const map = mapOf({ maxBytes: 1000 * ENTRY_BYTES, loadFactor: 1 })
    const key = Buffer.alloc(4)
    for (let i = 0; i < map.capacity; i++) {
      key.writeInt32BE(i)
      map.put(key, 0, 4, i)
    }
    for (let i = 0; i < map.capacity; i++) {
      key.writeInt32BE(i)
      expect(map.get(key, 0, 4)).toBe(i)
    }
    key.writeInt32BE(-1)
    expect(map.get(key, 0, 4)).toBe(-1)
  })
})
