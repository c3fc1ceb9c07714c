/** The Kafka version whose tools these are, and whose versions of the protocol are spoken. */
export const KAFKA_VERSION = '3.9.1'
