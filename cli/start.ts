#!/usr/bin/env node
/** `npm start`, `npx prekraft`: a ZooKeeper and brokers on this machine, until Ctrl-C. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { Cluster } from './start/cluster'
import { StartUsageError, USAGE, parseStartOptions } from './start/options'
import { onHangup } from '../runtime/hangup'
import type { ChildProcess } from 'node:child_process'
import type { StartOptions } from './start/options'

async function main(): Promise<void> {
  const args = process.argv.slice(2)
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${USAGE}\n`)
    return
  }
  let options: StartOptions
  try {
    options = parseStartOptions(args)
  } catch (error) {
    if (!(error instanceof StartUsageError)) throw error
    fail(error.message)
  }
  let cluster: Cluster | undefined
  let isAskedToStop = false
  let command: ChildProcess | undefined
  const onSignal = (signal: NodeJS.Signals): void => {
    // A command that was cut short did not succeed; a terminal's Ctrl-C it has had already.
    const exitCode = options.exec === undefined ? 0 : 128 + constants.signals[signal]
    if (signal !== 'SIGINT') command?.kill(signal)
    // Whoever asks twice does not want to wait.
    if (isAskedToStop) cluster?.kill()
    isAskedToStop = true
    if (cluster === undefined) process.exit(exitCode)
    void stop(cluster, exitCode)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  // The terminal is closed.
  onHangup(() => onSignal('SIGHUP'))
  try {
    cluster = await Cluster.start(options, __dirname, {
      say: (text) => process.stderr.write(`${text}\n`),
      onAllOver: () => process.exit(1),
      onCreated: (created) => {
        cluster = created
      },
    })
  } catch (error) {
    // A stop while it starts looks like a failure to start.
    if (isAskedToStop) return
    fail((error as Error).message)
  }
  if (isAskedToStop) return
  if (options.exec !== undefined) {
    await stop(cluster, await execute(cluster, options.exec, (child) => (command = child)))
    return
  }
  process.stdout.write(`${cluster.readyLine}\n${hints(cluster, options)}\n`)
}

/** What a newcomer types next. */
function hints({ bootstrap }: Cluster, { brokers }: StartOptions): string {
  const server = bootstrap.split(',')[0]!
  const command = (name: string): string => (existsSync(`bin/${name}.sh`) ? `bin/${name}.sh` : `npx ${name}.sh`)
  return [
    `  ${command('kafka-topics')} --bootstrap-server ${server} --create --topic greetings --partitions 3 ` +
      `--replication-factor ${Math.min(3, brokers)}`,
    `  ${command('kafka-console-producer')} --bootstrap-server ${server} --topic greetings`,
    `  ${command('kafka-console-consumer')} --bootstrap-server ${server} --topic greetings --from-beginning`,
  ].join('\n')
}

/** Runs a command of the shell beside the cluster. Resolves with its exit code, 128 and the signal's number if it was killed. */
function execute(cluster: Cluster, command: string, started: (child: ChildProcess) => void): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, {
      shell: true,
      stdio: 'inherit',
      env: { ...process.env, KAFKA_BOOTSTRAP_SERVERS: cluster.bootstrap, ZOOKEEPER_CONNECT: cluster.zookeeperConnect },
    })
    started(child)
    child.once('error', (error) => {
      process.stderr.write(`${command} cannot be run: ${error.message}\n`)
      resolve(127)
    })
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : 137)))
  })
}

async function stop(cluster: Cluster, exitCode: number): Promise<never> {
  await cluster.stop()
  process.exit(exitCode)
}

function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}

void main()
