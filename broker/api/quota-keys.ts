/** Keys of users and client ids, in the order in which a broker of Kafka's names them, and what kind of number each is. */
export const CLIENT_QUOTA_KEYS: ReadonlyMap<string, 'long' | 'int' | 'double'> = new Map([
  ['request_percentage', 'double'],
  ['producer_byte_rate', 'long'],
  ['consumer_byte_rate', 'long'],
  ['controller_mutation_rate', 'double'],
])

export const IP_QUOTA_KEYS: ReadonlyMap<string, 'long' | 'int' | 'double'> = new Map([['connection_creation_rate', 'int']])

/** Of a user, where credentials are kept beside the quotas. */
export const SCRAM_KEYS: ReadonlySet<string> = new Set(['SCRAM-SHA-256', 'SCRAM-SHA-512'])
