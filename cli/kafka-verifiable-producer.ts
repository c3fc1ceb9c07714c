import { Producer } from '../client/producer'
import { realEnvironment } from '../runtime/real'
import { runArgparseTool } from './tool/argparse-tool'
import { argumentHelp } from './tool/argparse-help'
import { Pace } from './tool/pace'
import { propertiesIn } from './tool/run'
import { onSignal } from './tool/signals'
import { eventLine, sendError, sendSuccess, toolData } from './verifiable/events'
import { PRODUCER } from './verifiable/grammar'

const print = (line: string): void => void process.stdout.write(line)

if (process.argv.length === 2) print(argumentHelp(PRODUCER))
else
  void runArgparseTool(PRODUCER, async (given) => {
    const file = given.text('--producer.config')
    const producer = new Producer({
      'bootstrap.servers': given.text('--bootstrap-server') ?? given.text('--broker-list'),
      acks: given.text('--acks'),
      retries: 0,
      ...(file === undefined ? {} : propertiesIn(file)),
    })
    const topic = given.text('--topic')!
    const throughput = given.number('--throughput')!
    const most = given.number('--max-messages')!
    const prefix = given.number('--value-prefix')
    const keys = given.number('--repeating-keys')
    const startMs = Date.now()
    const pace = new Pace(realEnvironment(), throughput)
    let createTime = given.number('--message-create-time')!
    let sent = 0
    let acked = 0
    onSignal(() => pace.stop())
    print(eventLine(Date.now(), 'startup_complete'))
    while ((most < 0 || sent < most) && !pace.isStopped) {
      const value = prefix === undefined ? String(sent) : `${prefix}.${sent}`
      const record = { topic, key: keys === undefined ? null : String(sent % keys), value }
      const answer = producer.send(createTime < 0 ? record : { ...record, timestamp: createTime })
      if (createTime >= 0) createTime += Date.now() - startMs
      sent++
      pace.track(
        answer.then(
          ({ partition, offset }) => {
            acked++
            print(sendSuccess(Date.now(), record, partition, offset))
          },
          (error: unknown) => print(sendError(Date.now(), record, error)),
        ),
      )
      await pace.next()
    }
    await producer.close()
    print(eventLine(Date.now(), 'shutdown_complete'))
    print(toolData(Date.now(), sent, acked, throughput, Date.now() - startMs))
    return process.exitCode as number | undefined
  })
