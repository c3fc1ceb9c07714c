import { ErrorCode, ProtocolError, errorMessage, errorName, isRetriable, isStaleMetadata } from '../../../protocol/errors'

test('every code from -1 to 127 has a name, and all but NONE a text', () => {
  expect(Object.values(ErrorCode).sort((a, b) => a - b)).toEqual(Array.from({ length: 129 }, (_, i) => i - 1))
  for (const [name, code] of Object.entries(ErrorCode)) {
    expect(errorName(code)).toBe(name)
    expect(errorMessage(code) === '').toBe(code === ErrorCode.NONE)
  }
})

test('codes that this table lacks are unknown server errors', () => {
  expect(errorName(999)).toBe('ERROR_999')
  expect(errorMessage(999)).toBe(errorMessage(ErrorCode.UNKNOWN_SERVER_ERROR))
  expect(isRetriable(999)).toBe(false)
})

test('what a client may send again', () => {
  for (const code of [
    ErrorCode.NOT_LEADER_OR_FOLLOWER,
    ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    ErrorCode.REQUEST_TIMED_OUT,
    ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
    ErrorCode.UNKNOWN_LEADER_EPOCH,
    ErrorCode.FENCED_LEADER_EPOCH,
    ErrorCode.NOT_CONTROLLER,
  ]) {
    expect(isRetriable(code)).toBe(true)
  }
  for (const code of [
    ErrorCode.NONE,
    ErrorCode.UNKNOWN_SERVER_ERROR,
    ErrorCode.MESSAGE_TOO_LARGE,
    ErrorCode.PRODUCER_FENCED,
    ErrorCode.ILLEGAL_GENERATION,
    ErrorCode.STALE_CONTROLLER_EPOCH,
    ErrorCode.REBALANCE_IN_PROGRESS,
  ]) {
    expect(isRetriable(code)).toBe(false)
  }
  expect(isStaleMetadata(ErrorCode.NOT_LEADER_OR_FOLLOWER)).toBe(true)
  expect(isStaleMetadata(ErrorCode.NOT_ENOUGH_REPLICAS)).toBe(false)
})

test('a protocol error prints its name and text', () => {
  const error = new ProtocolError(ErrorCode.TOPIC_ALREADY_EXISTS)
  expect(String(error)).toBe('TOPIC_ALREADY_EXISTS: Topic with this name already exists.')
  expect(new ProtocolError(ErrorCode.INVALID_CONFIG, 'no such key').message).toBe('no such key')
  expect(new ProtocolError(ErrorCode.NOT_CONTROLLER).retriable).toBe(true)
})
