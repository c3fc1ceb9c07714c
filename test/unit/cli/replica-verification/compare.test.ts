import { BatchBuilder } from '../../../../protocol/records/records'
import { compareReplicas } from '../../../../cli/replica-verification/compare'

function batch(baseOffset: number, value: string): Buffer {
  const builder = new BatchBuilder({ baseOffset })
  builder.append(null, Buffer.from(value), [], 0)
  return builder.build()
}

const replica = (brokerId: number, highWatermark: number, ...records: Buffer[]): { brokerId: number; highWatermark: number; records: Buffer } => ({
  brokerId, highWatermark, records: Buffer.concat(records),
})

test('goes as far as all replicas have committed records', () => {
  const [a, b, c] = [batch(0, 'a'), batch(1, 'b'), batch(2, 'c')]
  expect(compareReplicas('t-0', 0, [replica(1, 3, a, b, c), replica(2, 2, a, b)])).toEqual({ nextOffset: 2, complaints: [], isFatal: false })
  expect(compareReplicas('t-0', 0, [replica(1, 1, a, b), replica(2, 3, a, b)]).nextOffset).toBe(1)
  expect(compareReplicas('t-0', 7, [replica(1, 7), replica(2, 7)])).toEqual({ nextOffset: 7, complaints: [], isFatal: false })
})

test('other bytes and other offsets', () => {
  const unlike = compareReplicas('t-0', 0, [replica(1, 1, batch(0, 'a')), replica(2, 1, batch(0, 'b'))])
  expect(unlike.complaints[0]).toMatch(/^partition t-0 has unmatched checksum at offset 0; replica 1's checksum \d+; replica 2's checksum \d+$/)
  expect(unlike).toMatchObject({ nextOffset: 1, isFatal: false })
  const apart = compareReplicas('t-0', 0, [replica(1, 9, batch(0, 'a')), replica(2, 9, batch(5, 'a'))])
  expect(apart).toMatchObject({ complaints: ["partition t-0: replica 1's offset 0 doesn't match replica 2's offset 5"], isFatal: true })
})
