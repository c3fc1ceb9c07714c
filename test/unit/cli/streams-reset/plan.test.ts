import { checkedOffset, isInternalTopicOf, parsePlan } from '../../../../cli/streams-reset/plan'

test('topics that Kafka Streams makes', () => {
  const names = [
    'app-store-changelog',
    'app-x-repartition',
    'app-KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-0001-topic',
    'app-y-subscription-response-topic',
  ]
  expect(names.every((name) => isInternalTopicOf('app', name))).toBe(true)
  expect(['app-other', 'store-changelog', 'apps-store-changelog'].some((name) => isInternalTopicOf('app', name))).toBe(false)
})

test('offsets within the log, with a remark at the edges too', () => {
  const said: string[] = []
  expect([0, 2, 3, 9, 10].map((offset) => checkedOffset(offset, 2, 9, (text) => void said.push(text)))).toEqual([2, 2, 3, 9, 9])
  expect(said.map((text) => text.split(' ')[2])).toEqual(['(0)', '(2)', '(9)', '(10)'])
})

test('plans', () => {
  expect(parsePlan('t,0,5\nt,1,6\n')).toEqual(
    new Map([
      ['t-0', { topic: 't', partition: 0, offset: 5 }],
      ['t-1', { topic: 't', partition: 1, offset: 6 }],
    ]),
  )
  expect(() => parsePlan('')).toThrow('It is empty')
  expect(() => parsePlan('t,0')).toThrow('`TOPIC,PARTITION,OFFSET`')
  expect(() => parsePlan('t,0,x')).toThrow('For input string: "x"')
})
