import { atLeast, latestMetadataVersion, metadataVersionRules, parseMetadataVersion } from '../../../../protocol/rules/metadata-version'
import type { MetadataVersion } from '../../../../protocol/rules/metadata-version'

/** What Apache Kafka's MetadataVersion answers: version, then of Fetch, ListOffsets, OffsetForLeaderEpoch, group value, offset value, records. */
const apacheVersions = [
  '0.8.0 0 0 0 0 1 0',
  '0.8.1 0 0 0 0 1 0',
  '0.8.2 0 0 0 0 1 0',
  '0.9.0 1 0 0 0 1 0',
  '0.10.0-IV0 2 0 0 0 1 1',
  '0.10.0-IV1 2 0 0 0 1 1',
  '0.10.1-IV0 2 0 0 1 1 1',
  '0.10.1-IV1 3 0 0 1 1 1',
  '0.10.1-IV2 3 1 0 1 1 1',
  '0.10.2-IV0 3 1 0 1 1 1',
  '0.11.0-IV0 4 2 0 1 1 2',
  '0.11.0-IV1 5 2 0 1 1 2',
  '0.11.0-IV2 5 2 0 1 1 2',
  '1.0-IV0 5 2 0 1 1 2',
  '1.1-IV0 7 2 0 1 1 2',
  '2.0-IV0 7 2 1 1 1 2',
  '2.0-IV1 8 3 1 1 1 2',
  '2.1-IV0 8 3 1 2 2 2',
  '2.1-IV1 8 4 2 2 3 2',
  '2.1-IV2 10 4 2 2 3 2',
  '2.2-IV0 10 4 2 2 3 2',
  '2.2-IV1 10 5 2 2 3 2',
  '2.3-IV0 10 5 2 3 3 2',
  '2.3-IV1 11 5 3 3 3 2',
  '2.4-IV0 11 5 3 3 3 2',
  '2.4-IV1 11 5 3 3 3 2',
  '2.5-IV0 11 5 3 3 3 2',
  '2.6-IV0 11 5 3 3 3 2',
  '2.7-IV0 11 5 3 3 3 2',
  '2.7-IV1 12 5 3 3 3 2',
  '2.7-IV2 12 5 3 3 3 2',
  '2.8-IV0 12 6 4 3 3 2',
  '2.8-IV1 12 6 4 3 3 2',
  '3.0-IV0 12 6 4 3 3 2',
  '3.0-IV1 12 7 4 3 3 2',
  '3.1-IV0 13 7 4 3 3 2',
  '3.2-IV0 13 7 4 3 3 2',
  '3.3-IV0 13 7 4 3 3 2',
  '3.3-IV1 13 7 4 3 3 2',
  '3.3-IV2 13 7 4 3 3 2',
  '3.3-IV3 13 7 4 3 3 2',
  '3.4-IV0 13 7 4 3 3 2',
  '3.5-IV0 14 8 4 3 3 2',
  '3.5-IV1 15 8 4 3 3 2',
  '3.5-IV2 15 8 4 3 3 2',
  '3.6-IV0 15 8 4 3 3 2',
  '3.6-IV1 15 8 4 3 3 2',
  '3.6-IV2 15 8 4 3 3 2',
  '3.7-IV0 15 8 4 3 3 2',
  '3.7-IV1 15 8 4 3 3 2',
  '3.7-IV2 15 8 4 3 3 2',
  '3.7-IV3 15 8 4 3 3 2',
  '3.7-IV4 16 8 4 3 3 2',
  '3.8-IV0 16 8 4 3 3 2',
  '3.9-IV0 17 9 4 3 3 2',
  '4.0-IV0 17 9 4 3 3 2',
  '4.0-IV1 17 9 4 3 3 2',
]

const rulesOf = (text: string) => metadataVersionRules(parseMetadataVersion(text) as MetadataVersion)

test.each(apacheVersions)('%s', (line) => {
  const rules = rulesOf(line.split(' ')[0] as string)
  expect([
    rules.version.name, rules.fetch, rules.listOffsets, rules.offsetForLeaderEpoch, rules.groupMetadataValue, rules.offsetCommitValue, rules.recordVersion,
  ].join(' ')).toBe(line)
})

test.each([
  ['3.9', '3.9-IV0'], ['3.9.1', '3.9-IV0'], ['2.8-IV1', '2.8-IV1'], ['0.10.2.1', '0.10.2-IV0'], ['1.0.1', '1.0-IV0'], ['0.8.2', '0.8.2'],
  ['2.8.2', '2.8-IV1'], ['0.10.0', '0.10.0-IV1'], ['3.0-IV0.1', '3.0-IV0'],
  ['4.0', undefined], ['3', undefined], ['0.10', undefined], ['abc', undefined], ['', undefined],
])('%s is %s', (text, name) => {
  expect(parseMetadataVersion(text)?.name).toBe(name)
})

test('what the controller writes to its brokers', () => {
  const versions = (text: string) => [rulesOf(text).leaderAndIsr, rulesOf(text).updateMetadata, rulesOf(text).stopReplica]
  expect(versions('3.9')).toEqual([7, 8, 4])
  expect(versions('3.3')).toEqual([6, 7, 3])
  expect(versions('2.8')).toEqual([5, 7, 3])
  expect(versions('2.8-IV0')).toEqual([4, 6, 3])
  expect(versions('2.4-IV0')).toEqual([3, 5, 1])
  expect(versions('2.2')).toEqual([2, 5, 1])
  expect(versions('1.0')).toEqual([1, 4, 0])
  expect(versions('0.10.2')).toEqual([0, 3, 0])
  expect(versions('0.8.2')).toEqual([0, 0, 0])
})

test('what each version may do', () => {
  expect(rulesOf('2.7-IV1')).toMatchObject({ featureZnode: true, truncationOnFetch: true, alterPartition: false, topicIds: false })
  expect(rulesOf('2.8-IV0')).toMatchObject({ alterPartition: true, topicIds: true, allocateProducerIds: false, brokerEpochs: true })
  expect(rulesOf('3.1')).toMatchObject({ allocateProducerIds: true, ignoresMessageFormatVersion: true, leaderRecoveryState: false })
  expect(rulesOf('3.9')).toMatchObject({ leaderRecoveryState: true, writeTxnMarkers: 1 })
  expect(rulesOf('0.11.0-IV1')).toMatchObject({ offsetForLeaderEpochSupported: false, brokerEpochs: false, writeTxnMarkers: 0 })
  expect(atLeast(latestMetadataVersion, '3.9-IV0')).toBe(true)
  expect(atLeast(latestMetadataVersion, '4.0-IV0')).toBe(false)
})
