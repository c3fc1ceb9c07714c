import { ErrorCode, ProtocolError } from '../../../../protocol/errors'
import { TimeoutError } from '../../../../client/cluster'
import { exceptionOfCode, exceptionText } from '../../../../cli/tool/exceptions'

test.each([
  [ErrorCode.GROUP_ID_NOT_FOUND, 'GroupIdNotFoundException'],
  [ErrorCode.NON_EMPTY_GROUP, 'GroupNotEmptyException'],
  [ErrorCode.TOPIC_ALREADY_EXISTS, 'TopicExistsException'],
  [ErrorCode.INVALID_TOPIC_EXCEPTION, 'InvalidTopicException'],
  [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'UnknownTopicOrPartitionException'],
])('%d', (code, name) => expect(exceptionOfCode(code)).toBe(`org.apache.kafka.common.errors.${name}`))

test('as Java shows it', () => {
  expect(exceptionText(new ProtocolError(ErrorCode.GROUP_ID_NOT_FOUND))).toBe(
    'org.apache.kafka.common.errors.GroupIdNotFoundException: The group id does not exist.',
  )
  expect(exceptionText(new TimeoutError('late'))).toBe('org.apache.kafka.common.errors.TimeoutException: late')
  expect([exceptionText(new Error('odd')), exceptionText('text')]).toEqual(['odd', 'text'])
})
