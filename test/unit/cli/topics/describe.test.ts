import { parseCommandLine } from '../../../../cli/tool/command-line'
import { describeJson, describeLines } from '../../../../cli/topics/describe'
import { OPTIONS } from '../../../../cli/topics/options'
import { ZERO_UUID } from '../../../../protocol/rules/uuid'
import type { DescribedTopic } from '../../../../cli/topics/describe'

const partition = (index: number, leader: number, replicas: number[], isr: number[]): DescribedTopic['partitions'][number] => ({
  partition: index,
  leader,
  replicas,
  isr,
  reassignment: undefined,
})

const orders: DescribedTopic = {
  name: 'orders',
  topicId: 'dHRWEk40SmGNoC5UW1zEbw',
  partitions: [
    partition(0, 1, [1, 2, 3], [1, 2, 3]),
    partition(1, 2, [2, 3, 1], [2]),
    partition(2, -1, [3, 1, 2], [3]),
    { ...partition(3, 1, [1, 2, 3, 4], [1, 2]), reassignment: { replicas: [1, 2, 3, 4], adding: [4], removing: [3] } },
  ],
  overrides: [
    { name: 'retention.ms', value: '1000' },
    { name: 'cleanup.policy', value: 'compact' },
  ],
  minInsyncReplicas: 2,
  markedForDeletion: false,
}
const plain: DescribedTopic = {
  ...orders,
  name: 'plain',
  topicId: ZERO_UUID,
  partitions: [partition(0, 3, [3], [3])],
  overrides: [],
  minInsyncReplicas: 1,
}

function describeWith(...flags: string[]): string[] {
  const line = parseCommandLine(OPTIONS, ['--describe', ...flags])
  return describeLines([orders, plain], line, new Set([1, 2]))
}

test('a header per topic, a line per partition', () => {
  expect(describeWith()).toEqual([
    'Topic: orders\tTopicId: dHRWEk40SmGNoC5UW1zEbw\tPartitionCount: 4\tReplicationFactor: 3\tConfigs: retention.ms=1000,cleanup.policy=compact',
    '\tTopic: orders\tPartition: 0\tLeader: 1\tReplicas: 1,2,3\tIsr: 1,2,3\tElr: N/A\tLastKnownElr: N/A',
    '\tTopic: orders\tPartition: 1\tLeader: 2\tReplicas: 2,3,1\tIsr: 2\tElr: N/A\tLastKnownElr: N/A',
    '\tTopic: orders\tPartition: 2\tLeader: none\tReplicas: 3,1,2\tIsr: 3\tElr: N/A\tLastKnownElr: N/A',
    '\tTopic: orders\tPartition: 3\tLeader: 1\tReplicas: 1,2,3,4\tIsr: 1,2\tAdding Replicas: 4\tRemoving Replicas: 3\tElr: N/A\tLastKnownElr: N/A',
    'Topic: plain\tPartitionCount: 1\tReplicationFactor: 1\tConfigs: ',
    '\tTopic: plain\tPartition: 0\tLeader: 3\tReplicas: 3\tIsr: 3\tElr: N/A\tLastKnownElr: N/A',
  ])
})

test('the filters show partitions only', () => {
  const shown = (flag: string) =>
    describeWith(flag).map((line) =>
      line
        .split('\t')
        .slice(1, 3)
        .map((part) => part.split(': ')[1])
        .join('-'),
    )
  expect(shown('--under-replicated-partitions')).toEqual(['orders-1', 'orders-2', 'orders-3'])
  expect(shown('--unavailable-partitions')).toEqual(['orders-2', 'plain-0'])
  expect(shown('--under-min-isr-partitions')).toEqual(['orders-1', 'orders-2'])
  expect(shown('--at-min-isr-partitions')).toEqual(['orders-3', 'plain-0'])
})

test('topics with overrides: headers only', () => {
  expect(describeWith('--topics-with-overrides').map((line) => line.split('\t')[0])).toEqual(['Topic: orders'])
})

test('what is being deleted says so', () => {
  const lines = describeLines([{ ...plain, markedForDeletion: true }], parseCommandLine(OPTIONS, ['--describe']), new Set([3]))
  expect(lines.every((line) => line.endsWith('\tMarkedForDeletion: true'))).toBe(true)
})

test('as JSON: topics with those of their partitions that the filters leave', () => {
  const json = (text: string): unknown => describeJson([orders], parseCommandLine(OPTIONS, text.split(' ')), new Set([1, 2]))
  expect(json('--describe --json --under-min-isr-partitions')).toEqual({
    topics: [
      {
        name: 'orders',
        topicId: 'dHRWEk40SmGNoC5UW1zEbw',
        isInternal: false,
        configs: { 'retention.ms': '1000', 'cleanup.policy': 'compact' },
        partitions: [
          { partition: 1, leader: 2, replicas: [2, 3, 1], isr: [2], addingReplicas: [], removingReplicas: [] },
          { partition: 2, leader: null, replicas: [3, 1, 2], isr: [3], addingReplicas: [], removingReplicas: [] },
        ],
      },
    ],
  })
  expect(json('--describe --json')).toMatchObject({ topics: [{ partitions: [{}, {}, {}, { addingReplicas: [4], removingReplicas: [3] }] }] })
  expect(json('--describe --json --topics-with-overrides')).toMatchObject({ topics: [{ name: 'orders', partitions: [] }] })
  expect(describeJson([], parseCommandLine(OPTIONS, ['--describe']), new Set())).toEqual({ topics: [] })
})
