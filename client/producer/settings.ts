import { codecByName, codecLevels } from '../../protocol/records/compression'
import { ConfigError, ConfigReader } from '../config'
import type { Codec } from '../../protocol/records/batch'
import type { ProducerConfig } from '../config'
import type { SenderSettings } from '../sender'

/** Reads what the sender needs; throws ConfigError with Kafka's words. */
export function senderSettings(config: ProducerConfig): SenderSettings {
  const read = new ConfigReader(config)
  const acksText = read.text('acks', 'all')
  const acks = acksText === 'all' || acksText === '-1' ? -1 : acksText === '0' || acksText === '1' ? Number(acksText) : undefined
  if (acks === undefined)
    throw new ConfigError(`Invalid value ${acksText} for configuration acks: String must be one of: all, -1, 0, 1`)
  const askedIdempotence = config['enable.idempotence'] !== undefined
  const idempotent = read.flag('enable.idempotence', true)
  if (idempotent && acks !== -1 && askedIdempotence) {
    throw new ConfigError(
      'Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee idempotence.',
    )
  }
  const transactionalId = read.text('transactional.id', '')
  if (transactionalId !== '' && !idempotent)
    throw new ConfigError('Cannot set a transactional.id without also enabling idempotence.')
  if (transactionalId !== '' && acks !== -1)
    throw new ConfigError(
      'Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee idempotence.',
    )
  const maxInFlight = read.whole('max.in.flight.requests.per.connection', 5, 1)
  if (idempotent && (askedIdempotence || transactionalId !== '') && maxInFlight > 5) {
    throw new ConfigError('Must set max.in.flight.requests.per.connection to at most 5 to use the idempotent producer.')
  }
  const retries = read.whole('retries', 2_147_483_647, 0)
  if (retries === 0 && idempotent && (askedIdempotence || transactionalId !== ''))
    throw new ConfigError('Must set retries to non-zero when using the idempotent producer.')
  const lingerMs = read.whole('linger.ms', 0, 0)
  const requestTimeoutMs = read.whole('request.timeout.ms', 30_000, 0)
  const leastDeliveryMs = Math.min(lingerMs + requestTimeoutMs, 2_147_483_647)
  const deliveryTimeoutMs = read.whole('delivery.timeout.ms', Math.max(120_000, leastDeliveryMs), 0)
  if (deliveryTimeoutMs < leastDeliveryMs)
    throw new ConfigError('delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms')
  const compression = read.text('compression.type', 'none')
  const codec = codecByName(compression === 'uncompressed' ? 'none' : compression)
  if (codec === undefined)
    throw new ConfigError(
      `Invalid value ${compression} for configuration compression.type: String must be one of: none, gzip, snappy, lz4, zstd`,
    )
  return {
    acks,
    codec,
    level: levelOf(config, compression, codec),
    lingerMs,
    batchSize: read.whole('batch.size', 16_384, 0),
    maxRequestBytes: read.whole('max.request.size', 1_048_576, 0),
    maxInFlight,
    deliveryTimeoutMs,
    requestTimeoutMs,
    retries,
    idempotent: idempotent && acks === -1 && maxInFlight <= 5 && retries > 0,
    transactionalId: transactionalId === '' ? null : transactionalId,
  }
}

/** What a codec does not take would show in no batch before the first. */
function levelOf(config: ProducerConfig, compression: string, codec: Codec): number | undefined {
  const key = `compression.${compression}.level`
  const levels = codecLevels(codec)
  if (levels === undefined || config[key] === undefined || config[key] === null) return undefined
  const read = new ConfigReader(config)
  const level = read.whole(key, levels.default, Math.min(levels.min, levels.default), levels.max)
  // gzip's default is none of its levels.
  return level === levels.default ? level : read.whole(key, level, levels.min, levels.max)
}
