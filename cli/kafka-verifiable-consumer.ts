import { Consumer } from '../client/consumer'
import { WakeupError } from '../client/consumer/errors'
import { runArgparseTool } from './tool/argparse-tool'
import { ArgparseError } from './tool/argparse'
import { argumentHelp, argumentUsage } from './tool/argparse-help'
import { exceptionText } from './tool/exceptions'
import { propertiesIn } from './tool/run'
import { onSignal } from './tool/signals'
import { eventLine, offsetsCommitted, partitionsEvent, recordData, recordsConsumed, summariesOf } from './verifiable/events'
import { CONSUMER } from './verifiable/grammar'
import type { Arguments } from './tool/argparse'
import type { ConsumerConfig } from '../client/config'

const POLL_MS = 60_000

const print = (line: string): void => void process.stdout.write(line)

function configOf(given: Arguments): ConsumerConfig {
  const file = given.text('--consumer.config')
  if (given.text('--group-protocol')!.toLowerCase() === 'consumer') {
    const message = `${CONSUMER.program}: error: argument --group-protocol: the protocol consumer is not there with ZooKeeper`
    throw new ArgparseError(message, argumentUsage(CONSUMER))
  }
  return {
    ...(file === undefined ? {} : propertiesIn(file)),
    'group.id': given.text('--group-id'),
    ...(given.text('--group-instance-id') === undefined ? {} : { 'group.instance.id': given.text('--group-instance-id') }),
    'bootstrap.servers': given.text('--bootstrap-server') ?? given.text('--broker-list'),
    'enable.auto.commit': given.has('--enable-autocommit'),
    'auto.offset.reset': given.text('--reset-policy'),
    'session.timeout.ms': given.text('--session-timeout'),
    'partition.assignment.strategy': given.text('--assignment-strategy'),
  }
}

if (process.argv.length === 2) print(argumentHelp(CONSUMER))
else
  void runArgparseTool(CONSUMER, async (given) => {
    const consumer = new Consumer(configOf(given))
    const most = given.number('--max-messages')! < 0 ? Infinity : given.number('--max-messages')!
    let consumed = 0
    onSignal(() => consumer.wakeup())
    print(eventLine(Date.now(), 'startup_complete'))
    try {
      consumer.subscribe([given.text('--topic')!], {
        onPartitionsAssigned: (partitions) => print(partitionsEvent(Date.now(), 'partitions_assigned', partitions)),
        onPartitionsRevoked: (partitions) => print(partitionsEvent(Date.now(), 'partitions_revoked', partitions)),
      })
      while (consumed < most) {
        const records = await consumer.poll(POLL_MS)
        if (records.length === 0) continue
        const { summaries, taken } = summariesOf(records, most - consumed)
        if (given.has('--verbose')) for (const record of taken) print(recordData(Date.now(), record))
        consumed += taken.length
        print(recordsConsumed(Date.now(), records.length, summaries))
        if (given.has('--enable-autocommit')) continue
        const offsets = summaries.map(({ topic, partition, maxOffset }) => ({ topic, partition, offset: maxOffset + 1 }))
        let failure: unknown
        try {
          await consumer.commitSync(offsets)
        } catch (error) {
          failure = error
        }
        print(offsetsCommitted(Date.now(), offsets, failure))
      }
    } catch (error) {
      if (!(error instanceof WakeupError))
        process.stderr.write(`Error during processing, terminating consumer process: ${exceptionText(error)}\n`)
    } finally {
      await consumer.close()
      print(eventLine(Date.now(), 'shutdown_complete'))
    }
    return process.exitCode as number | undefined
  })
