import { ProtocolError, errorName } from '../../protocol/errors'

/** Codes whose exception in the Java client is not called after them. */
const NAMES: Readonly<Record<string, string>> = {
  UNKNOWN_SERVER_ERROR: 'UnknownServerException',
  CORRUPT_MESSAGE: 'CorruptRecordException',
  REQUEST_TIMED_OUT: 'TimeoutException',
  MESSAGE_TOO_LARGE: 'RecordTooLargeException',
  STALE_CONTROLLER_EPOCH: 'ControllerMovedException',
  OFFSET_METADATA_TOO_LARGE: 'OffsetMetadataTooLarge',
  NETWORK_EXCEPTION: 'NetworkException',
  INVALID_TOPIC_EXCEPTION: 'InvalidTopicException',
  RECORD_LIST_TOO_LARGE: 'RecordBatchTooLargeException',
  TOPIC_AUTHORIZATION_FAILED: 'TopicAuthorizationException',
  GROUP_AUTHORIZATION_FAILED: 'GroupAuthorizationException',
  CLUSTER_AUTHORIZATION_FAILED: 'ClusterAuthorizationException',
  TOPIC_ALREADY_EXISTS: 'TopicExistsException',
  INVALID_CONFIG: 'InvalidConfigurationException',
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'OutOfOrderSequenceException',
  DUPLICATE_SEQUENCE_NUMBER: 'DuplicateSequenceException',
  INVALID_PRODUCER_ID_MAPPING: 'InvalidPidMappingException',
  INVALID_TRANSACTION_TIMEOUT: 'InvalidTxnTimeoutException',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'TransactionalIdAuthorizationException',
  KAFKA_STORAGE_ERROR: 'KafkaStorageException',
  SASL_AUTHENTICATION_FAILED: 'SaslAuthenticationException',
  DELEGATION_TOKEN_AUTH_DISABLED: 'DelegationTokenDisabledException',
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: 'UnsupportedByAuthenticationException',
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: 'DelegationTokenAuthorizationException',
  NON_EMPTY_GROUP: 'GroupNotEmptyException',
  PRINCIPAL_DESERIALIZATION_FAILURE: 'PrincipalDeserializationException',
  FETCH_SESSION_TOPIC_ID_ERROR: 'FetchSessionTopicIdException',
}

const PACKAGE = 'org.apache.kafka.common.errors.'

/** The class that an error code has in Kafka's Java clients, with its package: scripts look for it in what the tools print. */
export function exceptionOfCode(code: number): string {
  const name = errorName(code)
  const camel = name
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('')
  return PACKAGE + (NAMES[name] ?? `${camel}Exception`)
}

/** The class under which the Java client would throw it. */
export function exceptionClass(error: unknown): string {
  if (error instanceof ProtocolError) return exceptionOfCode(error.code)
  const code = (error as { code?: unknown } | undefined)?.code
  if (code === 'TIMEOUT') return `${PACKAGE}TimeoutException`
  if (code === 'DISCONNECTED' || code === 'CONNECT') return `${PACKAGE}DisconnectException`
  return code === 'CONFIG' ? 'org.apache.kafka.common.config.ConfigException' : 'org.apache.kafka.common.KafkaException'
}

/** `org.apache.kafka.common.errors.GroupIdNotFoundException: The group id does not exist.`: as Java shows an exception. */
export function exceptionText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const isKafkas = error instanceof ProtocolError || (error as { code?: unknown }).code === 'TIMEOUT'
  return isKafkas ? `${exceptionClass(error)}: ${error.message}` : error.message
}
