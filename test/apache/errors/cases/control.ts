import { ApiKey, apis } from '../../../../protocol/messages/apis'
import type { BadFrame, BadRequest } from '../case'
import type { Place } from '../place'

const partition = { topicName: 'plain', partitionIndex: 0, controllerEpoch: 1, leader: 0, leaderEpoch: 0, isr: [0, 1], partitionEpoch: 0, replicas: [0, 1], isNew: false }

/** An epoch below and beyond the true one, of the controller and of the broker. */
const epochs: [string, (place: Place) => { controllerEpoch: number; brokerEpoch: number }][] = [
  ['an old controller epoch', (place) => ({ controllerEpoch: place.controllerEpoch - 1, brokerEpoch: place.brokerEpochs.get(0)! })],
  ['an old broker epoch', (place) => ({ controllerEpoch: place.controllerEpoch, brokerEpoch: 1 })],
]

export const controlCases: BadRequest[] = [
  ...epochs.flatMap(([what, epochOf]): BadRequest[] => [
    {
      name: `leader and isr: ${what}`, api: ApiKey.leaderAndIsr, versions: [4, 5, 7],
      body: (place) => ({ controllerId: place.controllerId, ...epochOf(place), type: 0, topicStates: [{ topicName: 'plain', topicId: place.topicIds.get('plain'), partitionStates: [partition] }], liveLeaders: [] }),
    },
    {
      name: `update metadata: ${what}`, api: ApiKey.updateMetadata, versions: [7, 8],
      body: (place) => ({ controllerId: place.controllerId, ...epochOf(place), topicStates: [], liveBrokers: [] }),
    },
    {
      name: `stop replica: ${what}`, api: ApiKey.stopReplica, versions: [3, 4],
      body: (place) => ({ controllerId: place.controllerId, ...epochOf(place), topicStates: [{ topicName: 'plain', partitionStates: [{ partitionIndex: 0, leaderEpoch: 0, deletePartition: false }] }] }),
    },
  ]),
  {
    name: 'alter partition: an old broker epoch', api: ApiKey.alterPartition, to: 'controller', versions: [0, 1],
    body: () => ({ brokerId: 0, brokerEpoch: 1, topics: [] }),
  },
  {
    name: 'alter partition: an unknown broker', api: ApiKey.alterPartition, to: 'controller', versions: [1, 2],
    body: () => ({ brokerId: 77, brokerEpoch: 1, topics: [] }),
  },
  {
    name: 'alter partition: an unknown partition', api: ApiKey.alterPartition, to: 'controller', versions: [0, 1],
    body: (place) => ({
      brokerId: 0, brokerEpoch: place.brokerEpochs.get(0),
      topics: [{ topicName: 'nowhere', partitions: [{ partitionIndex: 0, leaderEpoch: 0, newIsr: [0], leaderRecoveryState: 0, partitionEpoch: 0 }] }],
    }),
  },
  {
    name: 'alter partition: an old leader epoch', api: ApiKey.alterPartition, to: 'controller', versions: [0, 1],
    body: (place) => ({
      brokerId: 0, brokerEpoch: place.brokerEpochs.get(0),
      topics: [{ topicName: 'plain', partitions: [{ partitionIndex: 0, leaderEpoch: -1, newIsr: [0], leaderRecoveryState: 0, partitionEpoch: 0 }] }],
    }),
  },
  {
    name: 'alter partition: an old partition epoch', api: ApiKey.alterPartition, to: 'controller', versions: [0, 1],
    body: (place) => ({
      brokerId: 0, brokerEpoch: place.brokerEpochs.get(0),
      topics: [{ topicName: 'plain', partitions: [{ partitionIndex: 0, leaderEpoch: 0, newIsr: [0], leaderRecoveryState: 0, partitionEpoch: -1 }] }],
    }),
  },
  { name: 'alter partition: to another broker', api: ApiKey.alterPartition, to: 'other', versions: [0, 2], body: () => ({ brokerId: 0, brokerEpoch: 1, topics: [] }) },
  { name: 'allocate producer ids: an old broker epoch', api: ApiKey.allocateProducerIds, to: 'controller', body: () => ({ brokerId: 0, brokerEpoch: 1 }) },
  { name: 'allocate producer ids: an unknown broker', api: ApiKey.allocateProducerIds, to: 'controller', body: () => ({ brokerId: 77, brokerEpoch: 1 }) },
  { name: 'allocate producer ids: to another broker', api: ApiKey.allocateProducerIds, to: 'other', body: () => ({ brokerId: 0, brokerEpoch: 1 }) },
  { name: 'controlled shutdown: an old broker epoch', api: ApiKey.controlledShutdown, to: 'controller', versions: [2, 3], body: () => ({ brokerId: 1, brokerEpoch: 1 }) },
  { name: 'controlled shutdown: an unknown broker', api: ApiKey.controlledShutdown, to: 'controller', versions: [2, 3], ours: /"errorCode":102/, body: () => ({ brokerId: 77, brokerEpoch: -1 }) },
  { name: 'update features: none', api: ApiKey.updateFeatures, to: 'controller', body: () => ({ timeoutMs: 1000, featureUpdates: [] }) },
  { name: 'update features: unknown', api: ApiKey.updateFeatures, to: 'controller', body: () => ({ timeoutMs: 1000, featureUpdates: [{ feature: 'speed', maxVersionLevel: 2, upgradeType: 1 }] }) },
  { name: 'describe cluster', api: ApiKey.describeCluster, versions: 'all', body: () => ({}) },
  { name: 'describe cluster: of controllers', api: ApiKey.describeCluster, versions: [1], body: () => ({ endpointType: 2 }) },
]

const acl = { resourceType: 2, resourceName: 'x', resourcePatternType: 3, principal: 'User:x', host: '*', operation: 2, permissionType: 3 }
const aclFilter = { resourceTypeFilter: 1, resourceNameFilter: null, patternTypeFilter: 1, principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 }
const secret = Buffer.from('hmac')

function secure(name: string, api: BadRequest['api'], body: object | ((version: number) => object)): BadRequest {
  return { name, api, versions: 'all', body: (_, version) => (typeof body === 'function' ? body(version) : body) }
}

/** No listener here has security. */
export const securityCases: BadRequest[] = [
  secure('sasl handshake without SASL', ApiKey.saslHandshake, { mechanism: 'PLAIN' }),
  secure('sasl authentication without SASL', ApiKey.saslAuthenticate, { authBytes: secret }),
  secure('describe acls without an authorizer', ApiKey.describeAcls, (version) => ({ resourceTypeFilter: 1, ...(version >= 1 ? { patternTypeFilter: 1 } : {}), operation: 1, permissionType: 1 })),
  secure('create acls without an authorizer', ApiKey.createAcls, { creations: [acl, acl] }),
  secure('delete acls without an authorizer', ApiKey.deleteAcls, (version) => ({ filters: [{ ...aclFilter, ...(version >= 1 ? {} : { patternTypeFilter: 3 }) }] })),
  secure('create a delegation token', ApiKey.createDelegationToken, { renewers: [], maxLifetimeMs: 1000 }),
  secure('renew a delegation token', ApiKey.renewDelegationToken, { hmac: secret, renewPeriodMs: 1000 }),
  secure('expire a delegation token', ApiKey.expireDelegationToken, { hmac: secret, expiryTimePeriodMs: 1000 }),
  secure('describe delegation tokens', ApiKey.describeDelegationToken, { owners: null }),
]

function header(key: number, version: number, rest = Buffer.from([0, 0, 0, 77, 0xff, 0xff])): Buffer {
  const start = Buffer.alloc(4)
  start.writeInt16BE(key, 0)
  start.writeInt16BE(version, 2)
  return Buffer.concat([start, rest])
}

/** Envelope. */
const unserved = new Set<number>([58])

export const frameCases: BadFrame[] = [
  ...Object.values(apis).filter(({ key }) => !unserved.has(key)).flatMap(({ key, name, maxVersion }): BadFrame[] => [
    // Apache does not read the header of a newer ApiVersions without tagged fields.
    { name: `frame: ${name} at version ${maxVersion + 1}`, ...(key === 18 ? { ours: /^"0023/ } : {}), frame: () => header(key, maxVersion + 1) },
    { name: `frame: ${name} at version -1`, frame: () => header(key, -1) },
    { name: `frame: ${name} without a body`, frame: () => header(key, maxVersion) },
  ]),
  { name: 'frame: an unknown API', frame: () => header(999, 0) },
  { name: 'frame: a negative API', frame: () => header(-2, 0) },
  { name: 'frame: nothing', frame: () => Buffer.alloc(0) },
  { name: 'frame: a negative size', frame: () => header(18, 0), size: -1 },
  { name: 'frame: a size above socket.request.max.bytes', frame: () => header(18, 0), size: 104_857_601 },
  { name: 'frame: a size that is less than there is', frame: () => header(18, 0), size: 6 },
  { name: 'frame: a software name that is none', frame: () => header(18, 3, Buffer.from([0, 0, 0, 77, 0xff, 0xff, 0, 2, 0x20, 2, 0x20, 0])) },
  { name: 'frame: two bytes', frame: () => Buffer.alloc(2) },
  { name: 'frame: a client id that is longer than the frame', frame: () => header(3, 1, Buffer.from([0, 0, 0, 77, 0x7f, 0xff])) },
  { name: 'frame: a count that is larger than the frame', frame: () => header(3, 1, Buffer.from([0, 0, 0, 77, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff])) },
]
