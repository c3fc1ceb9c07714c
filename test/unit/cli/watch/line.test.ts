import { HEADER, clockTime, lineOf } from '../../../../cli/watch/line'
import { znodeContent } from '../../../../cli/watch/znode-content'
import { encodeReassignPartitions } from '../../../../zk-schema/admin'
import { encodeBroker } from '../../../../zk-schema/brokers'
import { encodeProducerIdBlock } from '../../../../zk-schema/cluster'
import { encodeConfig } from '../../../../zk-schema/configs'
import { encodeController } from '../../../../zk-schema/controller'
import { encodeDeletion } from '../../../../zk-schema/deletions'
import { encodeConfigChange, encodeIsrChange } from '../../../../zk-schema/notifications'
import { encodePartitionState, encodeTopic } from '../../../../zk-schema/topics'
import type { RecordedEvent } from '../../../../recording/events'

const WALL_US = 1_700_000_000_123_456

/** The columns of an event's line behind time and process. */
function columns(event: RecordedEvent): string[] {
  const line = lineOf({ sequence: 1, wallUs: WALL_US, monoMs: 0, process: 'broker-1', event })!
  return [line.slice(27, 38).trim(), line.slice(38, 79).trim(), line.slice(79, 142).trim(), line.slice(142)]
}

test('columns have their places', () => {
  const at = (text: string) => HEADER.indexOf(text)
  expect(['TIME', 'PROCESS', 'KIND', 'SUBJECT', 'WHAT', 'WHY'].map(at)).toEqual([0, 16, 27, 38, 79, 142])
  const line = lineOf({
    sequence: 1,
    wallUs: WALL_US,
    monoMs: 0,
    process: 'broker-1',
    event: { kind: 'life', what: 'started', detail: 'x' },
  })
  expect(line).toBe(`${clockTime(WALL_US)} broker-1   life${' '.repeat(48)}started x`)
  expect(clockTime(WALL_US)).toMatch(/^\d\d:\d\d:20\.123456$/)
})

test.each<[RecordedEvent, string[]]>([
  [
    {
      kind: 'stateTransition',
      topic: 't',
      partition: 0,
      replica: -1,
      from: 'OfflinePartition',
      to: 'OnlinePartition',
      leader: 2,
      leaderEpoch: 3,
      isr: [2, 1],
      cause: 'BrokerChange',
      rule: 'offline: first live replica in ISR',
    },
    ['state', 't-0', 'Offline -> Online leader=2 epoch=3 isr=[2,1]', 'BrokerChange | offline: first live replica in ISR'],
  ],
  [
    {
      kind: 'stateTransition',
      topic: 't',
      partition: 0,
      replica: 4,
      from: 'OnlineReplica',
      to: 'OfflineReplica',
      cause: 'BrokerChange',
      isr: [],
    },
    ['state', 't-0 on 4', 'Online -> Offline', 'BrokerChange'],
  ],
  [
    {
      kind: 'stateTransition',
      topic: 't',
      partition: 0,
      replica: -1,
      from: 'OfflinePartition',
      to: 'OnlinePartition',
      error: 'no live\nreplica',
    },
    ['state', 't-0', 'Offline -> Online failed: no live replica', ''],
  ],
  [
    { kind: 'controlRequest', api: 'LeaderAndIsr', phase: 'sent', broker: 2, partitions: 3, controllerEpoch: 5 },
    ['request', 'LeaderAndIsr', 'sent to 2 partitions=3 controllerEpoch=5', ''],
  ],
  [
    { kind: 'controlRequest', api: 'LeaderAndIsr', phase: 'answered', broker: 2, tookMs: 3.25 },
    ['request', 'LeaderAndIsr', 'answered by 2 after 3.3 ms', ''],
  ],
  [
    { kind: 'controlRequest', api: 'StopReplica', phase: 'received', broker: 0, error: 'STALE_CONTROLLER_EPOCH' },
    ['request', 'StopReplica', 'received from 0 refused: STALE_CONTROLLER_EPOCH', ''],
  ],
  [
    {
      kind: 'isrChange',
      topic: 't',
      partition: 1,
      from: [1, 2],
      to: [1],
      phase: 'proposed',
      reason: 'out of sync: 2',
      leaderEpoch: 4,
      partitionEpoch: 7,
      highWatermark: 90,
    },
    ['isr', 't-1', 'proposed [1,2] -> [1] epoch=4 partitionEpoch=7 hw=90', 'out of sync: 2'],
  ],
  [
    { kind: 'truncation', topic: 't', partition: 1, fromOffset: 9, toOffset: 7, reason: 'diverging epoch' },
    ['truncation', 't-1', '9 -> 7', 'diverging epoch'],
  ],
  [
    { kind: 'election', outcome: 'won', broker: 1, controllerEpoch: 3 },
    ['election', '/controller', 'won by broker 1 epoch 3', ''],
  ],
  [
    { kind: 'election', outcome: 'lost', broker: 1, detail: 'broker 1 is the controller' },
    ['election', '/controller', 'lost to broker 1', 'broker 1 is the controller'],
  ],
  [
    { kind: 'controllerEvent', event: 'BrokerChange', tookMs: 35, waitedMs: 0.04, detail: 'dead: 1' },
    ['event', 'BrokerChange', 'handled in 35 ms, waited 0.0 ms', 'dead: 1'],
  ],
  [
    { kind: 'controllerEvent', event: 'BrokerChange', tookMs: 1, error: 'Error: lost' },
    ['event', 'BrokerChange', 'failed: Error: lost in 1.0 ms, waited 0.0 ms', ''],
  ],
  [{ kind: 'loopDelay', longestMs: 34.4, p99Ms: 9.04 }, ['loop', '', 'stood still for up to 34 ms, p99 9.0 ms', '']],
  [
    { kind: 'snapshot', controllerEpoch: 2, memory: '{}' },
    ['snapshot', '', "the controller's memory, 2 characters of JSON, epoch 2", ''],
  ],
  [{ kind: 'remark', level: 'warn', text: 'well' }, ['warn', '', 'well', '']],
  [{ kind: 'znodeChange', path: '/a', change: 'deleted' }, ['znode', '/a', 'deleted', '']],
  [
    {
      kind: 'znodeChange',
      path: '/controller',
      change: 'created',
      content: encodeController(3, 17).toString(),
      version: 0,
      written: true,
    },
    ['wrote', '/controller', 'created broker 3', ''],
  ],
  [
    { kind: 'znodeChange', path: '/controller_epoch', change: 'changed', content: '12', version: 4 },
    ['znode', '/controller_epoch', 'changed epoch 12 v4', ''],
  ],
])('%j', (event, expected) => {
  expect(columns(event)).toEqual(expected)
})

test('a short delay of the event loop is not told', () => {
  expect(
    lineOf({ sequence: 1, wallUs: 0, monoMs: 0, process: 'p', event: { kind: 'loopDelay', longestMs: 19, p99Ms: 1 } }),
  ).toBeUndefined()
})

describe('what a znode holds', () => {
  const endpoint = { listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: 'h', port: 9092 }
  test.each<[string, Buffer | null, string]>([
    [
      '/brokers/ids/1',
      encodeBroker({ brokerId: 1, endpoints: [endpoint], rack: 'r', jmxPort: -1, timestampMs: 1, features: {} }),
      'PLAINTEXT://h:9092 rack=r',
    ],
    [
      '/brokers/topics/t',
      encodeTopic({
        topicId: 'dHRWEk40SmGNoC5UW1zEbw',
        partitions: new Map([
          [0, { replicas: [1, 2], addingReplicas: [], removingReplicas: [] }],
          [1, { replicas: [1, 2, 3], addingReplicas: [3], removingReplicas: [1] }],
        ]),
      }),
      '0:[1,2] 1:[1,2,3](+3,-1) id=dHRWEk40SmGNoC5UW1zEbw',
    ],
    [
      '/brokers/topics/t/partitions/0/state',
      encodePartitionState({ controllerEpoch: 2, leader: -1, leaderEpoch: 5, isr: [1], leaderRecoveryState: 1 }),
      'leader=none epoch=5 isr=[1] controllerEpoch=2 recovering',
    ],
    [
      '/config/topics/t',
      encodeConfig(
        new Map([
          ['a', '1'],
          ['b', '2'],
        ]),
      ),
      'a=1 b=2',
    ],
    ['/config/changes/config_change_0000000001', encodeConfigChange('topics/t'), 'topics/t'],
    ['/isr_change_notification/isr_change_0000000001', encodeIsrChange([{ topic: 't', partition: 3 }]), 't-3'],
    ['/admin/reassign_partitions', encodeReassignPartitions([{ topic: 't', partition: 0, replicas: [1, 2] }]), 't-0:[1,2]'],
    [
      '/latest_producer_id_block',
      encodeProducerIdBlock({ brokerId: 1, firstProducerId: 0, lastProducerId: 999 }),
      '0 to 999 for broker 1',
    ],
    [
      '/prekraft/deletions/dHRWEk40SmGNoC5UW1zEbw',
      encodeDeletion({ topic: 't', partitions: [0, 1], brokers: [2] }),
      't [0,1] still on brokers [2]',
    ],
    ['/brokers/topics/t/partitions', null, ''],
    ['/brokers/topics/t/partitions/0/state', Buffer.from('{"x":\n1}'), 'malformed: {"x": 1}'],
    ['/somebody/elses', Buffer.from('text'), 'text'],
    ['/somebody/elses', Buffer.from('x'.repeat(500)), `${'x'.repeat(400)}...`],
  ])('%s', (path, data, content) => {
    expect(znodeContent(path, data)).toBe(content)
  })
})
