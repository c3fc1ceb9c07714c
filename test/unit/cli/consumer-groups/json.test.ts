import { descriptionJson, listingJson } from '../../../../cli/consumer-groups/json'

test('a listing says null for what the broker did not tell', () => {
  expect(listingJson({ groupId: 'g', isSimple: true, state: 'Empty', type: undefined })).toEqual({
    groupId: 'g',
    isSimpleConsumerGroup: true,
    state: 'Empty',
    type: null,
  })
})

const coordinator = { id: 1, host: 'h', port: 9092, rack: null }
const group = { groupId: 'g', isSimple: false, state: 'Stable', partitionAssignor: 'range', coordinator, members: [] }

test('a description has the offsets, the members or neither', () => {
  const head = { groupId: 'g', isSimpleConsumerGroup: false, state: 'Stable', partitionAssignor: 'range', coordinator }
  expect(descriptionJson(group, false, undefined)).toEqual(head)
  expect(descriptionJson(group, true, undefined)).toEqual({ ...head, members: [] })
  const nobody = { memberId: null, host: null, clientId: null }
  expect(
    descriptionJson(group, false, [
      { group: 'g', topic: 't', partition: 0, offset: 3, logEndOffset: 5, consumerId: 'm', host: '/h', clientId: 'c' },
      { group: 'g', topic: 't', partition: 1, logEndOffset: 5 },
    ]),
  ).toEqual({
    ...head,
    offsets: [
      { topic: 't', partition: 0, offset: 3, logEndOffset: 5, lag: 2, memberId: 'm', host: '/h', clientId: 'c' },
      { topic: 't', partition: 1, offset: null, logEndOffset: 5, lag: null, ...nobody },
    ],
  })
})
