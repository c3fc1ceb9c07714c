import {
  deletedOffsetsTable,
  listTable,
  membersTable,
  offsetsTable,
  planTable,
  stateTable,
} from '../../../../cli/consumer-groups/tables'
import type { ConsumerGroupDescription } from '../../../../client/admin/groups'

const group: ConsumerGroupDescription = {
  groupId: 'g',
  isSimple: false,
  state: 'Stable',
  partitionAssignor: 'range',
  coordinator: { id: 1, host: 'h', port: 9092, rack: null },
  members: [
    {
      memberId: 'm-1',
      groupInstanceId: null,
      clientId: 'c',
      host: '/10.0.0.5',
      assignment: [
        { topic: 'b', partition: 10 },
        { topic: 'b', partition: 2 },
        { topic: 'a', partition: 0 },
      ],
    },
    { memberId: 'm-2', groupInstanceId: null, clientId: 'c', host: '/10.0.0.5', assignment: [] },
  ],
}

test('the list of groups', () => {
  const groups = [
    { groupId: 'g', isSimple: false, state: 'Stable', type: 'classic' },
    { groupId: 'a-long-name-of-a-group', isSimple: false, state: undefined, type: undefined },
  ]
  expect(listTable(groups, true, true)).toBe(
    [
      `${'GROUP'.padEnd(32)} ${'TYPE'.padEnd(20)} ${'STATE'.padEnd(20)}`,
      `${'g'.padEnd(32)} ${'Classic'.padEnd(20)} ${'Stable'.padEnd(20)}`,
      `${'a-long-name-of-a-group'.padEnd(32)} ${'Unknown'.padEnd(20)} ${'Unknown'.padEnd(20)}`,
      '',
    ].join('\n'),
  )
})

test('offsets: rows begin with the end of a line, what is missing is a dash', () => {
  const rows = [
    { group: 'g', topic: 't', partition: 0, offset: 3, logEndOffset: 10, consumerId: 'm', host: '/h', clientId: 'c' },
    { group: 'g', topic: 'u', partition: 1, logEndOffset: 4 },
    { group: 'g', topic: 'u', partition: 2, offset: -1, logEndOffset: 4 },
  ]
  const lines = offsetsTable(rows)
    .split('\n')
    .map((line) => line.split(/ +/))
  expect(lines).toEqual([
    [''],
    ['GROUP', 'TOPIC', 'PARTITION', 'CURRENT-OFFSET', 'LOG-END-OFFSET', 'LAG', 'CONSUMER-ID', 'HOST', 'CLIENT-ID'],
    ['g', 't', '0', '3', '10', '7', 'm', '/h', 'c'],
    ['g', 'u', '1', '-', '4', '-', '-', '-', '-'],
    ['g', 'u', '2', '-1', '4', '-', '-', '-', '-'],
  ])
})

test('members, with an instance id if one has it, and their partitions', () => {
  expect(
    membersTable(group, true)
      .split('\n')
      .map((line) => line.split(/ {2,}/)),
  ).toEqual([
    [''],
    ['GROUP', 'CONSUMER-ID', 'HOST', 'CLIENT-ID', '#PARTITIONS', 'ASSIGNMENT'],
    ['g', 'm-1', '/10.0.0.5', 'c', '3', 'a(0), b(2,10)'],
    ['g', 'm-2', '/10.0.0.5', 'c', '0', '-'],
    [''],
  ])
  const named = { ...group, members: [{ ...group.members[0]!, groupInstanceId: 'one' }] }
  expect(membersTable(named, false)).toMatch(/CONSUMER-ID +GROUP-INSTANCE-ID +HOST/)
})

test('the state', () => {
  expect(stateTable(group)).toBe(
    `\n${'GROUP'.padEnd(25)} ${'COORDINATOR (ID)'.padEnd(25)} ASSIGNMENT-STRATEGY  ${'STATE'.padEnd(15)} #MEMBERS` +
      `\n${'g'.padEnd(25)} ${'h:9092  (1)'.padEnd(25)} ${'range'.padEnd(20)} ${'Stable'.padEnd(15)} 2\n`,
  )
})

test('plans and deletions have a line each', () => {
  expect(planTable(new Map())).toBe('')
  expect(
    planTable(new Map([['g', [{ topic: 't', partition: 0, offset: 7 }]]]))
      .split('\n')
      .map((line) => line.split(/ +/)),
  ).toEqual([[''], ['GROUP', 'TOPIC', 'PARTITION', 'NEW-OFFSET', ''], ['g', 't', '0', '7', ''], ['']])
  const results = [
    { topic: 'u', partition: -1, error: 'E' },
    { topic: 't', partition: 0, error: undefined },
  ]
  expect(deletedOffsetsTable(results)).toMatch(/\nt +0 +Successful +\nu +Not Provided +Error: :E +\n$/)
})
