/** The process of a broker: `node dist/broker.js config/server.properties [--override property=value]*`. */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseProperties } from '../protocol/files/properties'
import { threadPoolCompression } from '../protocol/records/compression-pool'
import { RECORDING_DIR, parseBrokerConfig, propertiesFromEnvironment } from '../protocol/rules/config-definition'
import { FileRecorder } from '../recording/file-recorder'
import { noRecorder } from '../recording/events'
import { createLogger } from '../runtime/log'
import { onHangup } from '../runtime/hangup'
import { LogLevels } from '../runtime/log-levels'
import { Metrics } from '../runtime/metrics'
import { realEnvironment } from '../runtime/real'
import { threadsRunning } from '../runtime/real-threads'
import { startBroker } from './broker'
import { parseCommandLine } from './command-line'
import { KafkaConfig } from './config/kafka-config'
import { checkSupported, unsupportedKeys } from './config/supported-settings'
import { ThreadCleanerPool } from './log/cleaner/thread-cleaner-pool'
import { StartError } from './start-error'
import type { Recorder } from '../recording/events'
import type { LogLevel, Logger } from '../runtime/log'
import type { LevelName } from '../runtime/log-levels'
import type { Broker } from './broker'

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

async function main(): Promise<void> {
  process.title = 'prekraft-broker'
  // Started for a test: it ends with the process that started it, whose end closes this input.
  if (process.env['PREKRAFT_TIED'] === '1') process.stdin.on('end', () => process.exit(1)).resume()
  let logger: Logger | undefined
  try {
    const { config, warnings } = readConfig(process.argv.slice(2))
    const id = config.brokerId >= 0 ? String(config.brokerId) : '?'
    process.title = `prekraft-broker ${id}`
    const logLevels = createLogLevels(`broker-${id}`)
    logger = logLevels.logger('kafka')
    for (const warning of warnings) logger.warn({}, warning)
    await run(config, logLevels, logger)
  } catch (error) {
    fail(error, logger)
  }
}

function readConfig(args: readonly string[]): { config: KafkaConfig; warnings: readonly string[] } {
  const { propertiesFile, overrides } = parseCommandLine(args)
  let text: string
  try {
    text = readFileSync(propertiesFile, 'utf8')
  } catch (error) {
    throw new StartError(`${propertiesFile} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
  }
  const given = { ...parseProperties(text), ...propertiesFromEnvironment(process.env), ...overrides }
  const { values, warnings } = parseBrokerConfig(given, unsupportedKeys())
  const config = new KafkaConfig(values)
  checkSupported(config)
  return { config, warnings }
}

function logLevel(): LogLevel {
  const level = process.env.LOG_LEVEL?.toLowerCase() ?? 'info'
  return (LEVELS.includes(level) ? level : 'info') as LogLevel
}

/** The levels are checked in front of the log itself, which lets everything through: they may change while the broker runs. */
function createLogLevels(name: string): LogLevels {
  const level = logLevel()
  if (level === 'silent') return new LogLevels(createLogger({ level, name }), 'FATAL')
  return new LogLevels(createLogger({ level: 'trace', name }), level.toUpperCase() as LevelName)
}

async function run(config: KafkaConfig, logLevels: LogLevels, logger: Logger): Promise<void> {
  const env = realEnvironment()
  const directory = config.values.stringOrNull(RECORDING_DIR)
  const recorder =
    directory === null || directory === ''
      ? undefined
      : new FileRecorder(env, { directory, process: `broker-${config.brokerId}`, logger })
  await recorder?.start()
  recorder?.record({ kind: 'life', what: 'starting', detail: `process ${process.pid}` })

  const fatal = (error: unknown): void => {
    logger.error({ err: error }, 'this broker cannot go on')
    recorder?.record({ kind: 'life', what: 'died', detail: (error as Error).message })
    recorder?.close()
    process.exit(1)
  }
  process.on('uncaughtException', fatal)
  process.on('unhandledRejection', fatal)

  let broker: Broker | undefined
  let signals = 0
  const onSignal = (signal: NodeJS.Signals): void => {
    signals++
    // Whoever asks twice does not want to wait.
    if (signals > 1 || broker === undefined) process.exit(signals > 1 ? 1 : 0)
    logger.info({ signal }, 'asked to stop')
    recorder?.record({ kind: 'life', what: 'stopping', detail: signal })
    void broker.stop().then(() => {
      recorder?.record({ kind: 'life', what: 'stopped' })
      recorder?.close()
      process.exit(0)
    })
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  onHangup(() => onSignal('SIGHUP'))

  broker = await startBroker(env, config, {
    logger,
    logLevels,
    recorder: recorder ?? noRecorder,
    metrics: new Metrics(),
    hostName: hostname(),
    processId: process.pid,
    compression: threadPoolCompression,
    cleanerPool: new ThreadCleanerPool(threadsRunning(join(__dirname, 'cleaner-worker.js'))),
    onFatal: fatal,
  })
  process.title = `prekraft-broker ${broker.brokerId}`
  if (recorder === undefined) return
  recorder.record({ kind: 'life', what: 'started', detail: `broker ${broker.brokerId} of cluster ${broker.clusterId}` })
  recordLoopDelay(recorder)
  const { controller } = broker
  // On request what the active controller holds in memory goes into the recording.
  const recordMemory = (): void => {
    const memory = controller.snapshot()
    if (memory !== undefined) recorder.record({ kind: 'snapshot', controllerEpoch: controller.epoch, memory })
  }
  process.on('SIGUSR2', recordMemory)
  recorder.onSnapshotRequest = recordMemory
}

const LOOP_DELAY_INTERVAL_MS = 10_000

/** How long the event loop stood still, at most and at the 99th percentile, in each ten seconds. */
function recordLoopDelay(recorder: Recorder): void {
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  setInterval(() => {
    // The histogram counts whole sampling intervals; what is beyond one is delay.
    const beyond = (nanoseconds: number): number => Math.max(nanoseconds / 1e6 - 10, 0)
    recorder.record({ kind: 'loopDelay', longestMs: beyond(delay.max), p99Ms: beyond(delay.percentile(99)) })
    delay.reset()
  }, LOOP_DELAY_INTERVAL_MS).unref()
}

/** One sentence on standard error, the particulars in the log. */
function fail(error: unknown, logger: Logger | undefined): never {
  logger?.error({ err: error }, 'this broker cannot start')
  process.stderr.write(`${sentenceOf(error as NodeJS.ErrnoException & { listener?: string; host?: string; port?: number })}\n`)
  process.exit(1)
}

function sentenceOf(error: NodeJS.ErrnoException & { listener?: string; host?: string; port?: number }): string {
  if (error.listener !== undefined) {
    const address = `${error.host === '' ? '*' : error.host}:${error.port}`
    if (error.code === 'EADDRINUSE')
      return `The port of the listener ${error.listener}, ${address}, is in use: stop what listens there, or change listeners.`
    if (error.code === 'EACCES')
      return `The listener ${error.listener} may not open ${address}: ports below 1024 need privileges.`
    return `The listener ${error.listener} cannot listen on ${address} (${error.code}): correct listeners.`
  }
  if (error.code === 'ENOSPC') return `The disk is full: ${error.message}`
  return error.message
}

void main()
