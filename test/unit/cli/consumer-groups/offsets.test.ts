import { offsetRows, remarkOn, settled } from '../../../../cli/consumer-groups/describe'
import { shifted, withinLog } from '../../../../cli/consumer-groups/reset'
import type { CommittedOffset } from '../../../../client/group/committed'

const committed = (offsets: Record<string, number>): Map<string, CommittedOffset> =>
  new Map(
    Object.entries(offsets).map(([key, offset]) => {
      const [topic, partition] = key.split('-') as [string, string]
      return [key, { topic, partition: Number(partition), offset, leaderEpoch: -1, metadata: '' }]
    }),
  )
const member = (memberId: string, ...partitions: number[]) => ({
  memberId,
  groupInstanceId: null,
  clientId: 'c',
  host: '/h',
  assignment: partitions.map((partition) => ({ topic: 't', partition })),
})

test('partitions come with their owner, the member with most first, then those without an owner', () => {
  const rows = offsetRows(
    { groupId: 'g', members: [member('few', 3), member('none'), member('many', 2, 1)] },
    committed({ 't-1': 5, 'u-0': 7 }),
    new Map([
      ['t-1', 9],
      ['u-0', 8],
    ]),
  )
  expect(
    rows.map(({ topic, partition, consumerId, offset, logEndOffset }) => [topic, partition, consumerId, offset, logEndOffset]),
  ).toEqual([
    ['t', 1, 'many', 5, 9],
    ['t', 2, 'many', undefined, undefined],
    ['t', 3, 'few', undefined, undefined],
    ['u', 0, undefined, 7, 8],
  ])
})

test('remarks on the state of a group', () => {
  expect(remarkOn('g', 'Stable')).toEqual({})
  expect(remarkOn('g', 'Dead')).toEqual({ out: "\nError: Consumer group 'g' does not exist.\n" })
  expect(remarkOn('g', 'Empty')).toEqual({ err: "\nConsumer group 'g' has no active members.\n" })
  expect(remarkOn('g', 'PreparingRebalance')).toEqual({ err: "\nWarning: Consumer group 'g' is rebalancing.\n" })
  expect(() => remarkOn('g', 'Odd')).toThrow("found 'Odd'")
})

test('results by name, or the first error', () => {
  expect(
    settled(
      new Map([
        ['b', 1],
        ['a', 2],
      ]),
    ),
  ).toEqual([
    ['a', 2],
    ['b', 1],
  ])
  expect(() =>
    settled(
      new Map<string, number | Error>([
        ['b', 1],
        ['a', new Error('no')],
      ]),
    ),
  ).toThrow('no')
})

test('offsets are moved into the log', () => {
  const said: string[] = []
  const remarks = { out: () => {}, err: (text: string) => void said.push(text) }
  const wanted = [0, 5, 15].map((offset, partition) => ({ topic: 't', partition, offset }))
  const [starts, ends] = [2, 10].map((offset) => new Map([0, 1, 2].map((partition) => [`t-${partition}`, offset])))
  expect(withinLog(wanted, starts!, ends!, remarks).map(({ offset }) => offset)).toEqual([2, 5, 10])
  expect(said).toEqual([
    'New offset (0) is lower than earliest offset for topic partition t-0. Value will be set to 2\n',
    'New offset (15) is higher than latest offset for topic partition t-2. Value will be set to 10\n',
  ])
})

test('shifts need an offset', () => {
  expect(shifted([{ topic: 't', partition: 1 }], committed({ 't-1': 5 }), -3)).toEqual([{ topic: 't', partition: 1, offset: 2 }])
  expect(() => shifted([{ topic: 't', partition: 2 }], committed({}), 1)).toThrow(
    'Cannot shift offset for partition t-2 since there is no current committed offset',
  )
})
