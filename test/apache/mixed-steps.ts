import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ApiKey } from '../../protocol/messages/apis'
import { topicPath } from '../../zk-schema/topics'
import { until } from './mixed-cluster'
import { LOAD, LOAD_ASSIGNMENT } from './mixed-run'
import { producerIds } from './producer-ids'
import { deleteTopics, ongoing, reassign, submit } from './requests'
import { endAndStart, endController, reassignLoad, stopAndContinue } from './shared-steps'
import { endOf } from './transaction-steps'
import type { Kind } from './mixed-cluster'
import type { Run } from './mixed-run'
import type { CreatePartitionsRequest, CreatePartitionsResponse } from '../../protocol/messages/create-partitions'
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/delete-topics'
import type { DescribeConfigsRequest, DescribeConfigsResponse } from '../../protocol/messages/describe-configs'
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/incremental-alter-configs'

const CONSOLE_CONSUMER = 'org.apache.kafka.tools.consumer.ConsoleConsumer'
const CONSOLE_PRODUCER = 'kafka.tools.ConsoleProducer'

/** Everything that a controller of this kind does. */
export async function steps(run: Run, kind: Kind): Promise<void> {
  const { cluster } = run
  const of = (name: string): string => `${name} [controller: ${kind}]`
  const topic = `t-${kind}`

  await run.step(of('move the controller'), async () => void (await run.moveController(kind)))
  await run.moveController(kind)

  await run.step(of('create topics'), async () => {
    await run.createTopic(
      topic,
      [
        [0, 10, 1, 11],
        [10, 0, 11, 1],
      ],
      { 'min.insync.replicas': '3' },
    )
    await run.createTopic(`${topic}-auto`, { partitions: 6, replicas: 3 })
    const tool = cluster.tool('org.apache.kafka.tools.TopicCommand', [
      '--bootstrap-server',
      `127.0.0.1:${cluster.port(11)}`,
      '--create',
      '--topic',
      `${topic}-tool`,
      '--partitions',
      '3',
      '--replication-factor',
      '4',
    ])
    if (!tool.includes('Created topic')) throw new Error(tool)
  })

  await run.step(of('console tools'), async () => {
    const lines = Array.from({ length: 200 }, (_, i) => `line ${i}`)
    for (const id of [1, 10]) {
      const said = cluster.tool(
        CONSOLE_PRODUCER,
        ['--bootstrap-server', `127.0.0.1:${cluster.port(id)}`, '--topic', `${topic}-tool`, '--request-required-acks', 'all'],
        `${lines.join('\n')}\n`,
      )
      if (/ERROR|Exception/.test(said)) throw new Error(said)
    }
    const { topics } = await cluster.metadata(11, [`${topic}-tool`])
    let count = 0
    for (const { partitionIndex, leaderId } of topics[0]!.partitions) {
      const end = await endOf(run, leaderId, `${topic}-tool`, partitionIndex, 0)
      if (end === 0) continue
      const said = cluster.tool(CONSOLE_CONSUMER, [
        ...['--bootstrap-server', `127.0.0.1:${cluster.port(11)}`, '--topic', `${topic}-tool`],
        ...['--partition', String(partitionIndex), '--offset', 'earliest'],
        ...['--max-messages', String(end), '--timeout-ms', '60000'],
      ])
      count += said.split('\n').filter((line) => line.startsWith('line ')).length
    }
    if (count !== 400) throw new Error(`${count} of 400 lines came back`)
  })

  await run.step(of('add partitions'), async () => {
    const answer = await run.askController<CreatePartitionsRequest, CreatePartitionsResponse>(ApiKey.createPartitions, {
      topics: [
        { name: topic, count: 4, assignments: [{ brokerIds: [1, 11, 0, 10] }, { brokerIds: [11, 1, 10, 0] }] },
        { name: `${topic}-auto`, count: 8, assignments: null },
      ],
      timeoutMs: 30_000,
      validateOnly: false,
    })
    for (const { errorCode, errorMessage } of answer.results) if (errorCode !== 0) throw new Error(`${errorCode} ${errorMessage}`)
  })

  await run.step(of('change configurations through either kind'), async () => {
    for (const [through, key, value] of [
      [0, 'retention.ms', '7777777'],
      [10, 'segment.bytes', '2000000'],
      [1, 'max.message.bytes', '900000'],
      [11, 'min.insync.replicas', '2'],
    ] as const) {
      const answer = await cluster.ask<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
        through,
        ApiKey.incrementalAlterConfigs,
        {
          resources: [{ resourceType: 2, resourceName: topic, configs: [{ name: key, configOperation: 0, value }] }],
          validateOnly: false,
        },
      )
      if (answer.responses[0]!.errorCode !== 0) throw new Error(`through ${through}: ${answer.responses[0]!.errorMessage}`)
      for (const id of cluster.running) {
        await until(`broker ${id} has ${key}`, 10_000, async () => {
          const { results } = await cluster.ask<DescribeConfigsRequest, DescribeConfigsResponse>(id, ApiKey.describeConfigs, {
            resources: [{ resourceType: 2, resourceName: topic, configurationKeys: [key] }],
          })
          return results[0]!.configs[0]?.value === value
        })
      }
    }
  })

  await run.step(of('producer ids'), async () => await producerIds(run))

  for (const id of [0, 1, 10, 11]) {
    if ((await run.controller()) === id) continue
    await run.step(of(`stop and continue ${id}`), async () => await stopAndContinue(run, id))
  }

  for (const id of [1, 11, 0, 10]) {
    if ((await run.controller()) === id) continue
    await run.step(of(`controlled shutdown of ${id}`), async () => {
      const { logFile } = cluster.node(id)
      const tookMs = await endAndStart(run, id, 'SIGTERM')
      const allowed = /controlled shutdown succeeded|Controlled shutdown request returned successfully/
      if (!allowed.test(readFileSync(logFile, 'utf8'))) throw new Error(`${id} was not allowed to end`)
      if (tookMs > 8000) throw new Error(`it took ${tookMs} ms`)
    })
    await run.step(of(`kill -9 ${id}`), async () => void (await endAndStart(run, id, 'SIGKILL')))
  }

  await endController(run, kind, of)
  await run.step(of('reassign'), async () => await reassignLoad(run))

  await run.step(of('reassign with the tool'), async () => {
    const json = JSON.stringify({
      version: 1,
      partitions: [
        { topic: `${topic}-auto`, partition: 0, replicas: [0, 1] },
        { topic: `${topic}-auto`, partition: 1, replicas: [10, 11] },
      ],
    })
    const file = `${cluster.dir}/reassign.json`
    writeFileSync(file, json)
    const common = ['--bootstrap-server', `127.0.0.1:${cluster.port(10)}`, '--reassignment-json-file', file]
    const said = cluster.tool('org.apache.kafka.tools.reassign.ReassignPartitionsCommand', [...common, '--execute'])
    if (!said.includes('Successfully started')) throw new Error(said)
    await run.agreed()
    const verified = cluster.tool('org.apache.kafka.tools.reassign.ReassignPartitionsCommand', [...common, '--verify'])
    if ((verified.match(/is completed/g) ?? []).length < 2) throw new Error(verified)
  })

  await run.step(of('cancel a reassignment'), async () => {
    // The added replica cannot catch up, so the reassignment is there to be cancelled.
    const [partition, replicas] = kind === 'apache' ? [0, [0, 11, 10]] : [3, [11, 1, 10]]
    const added = replicas[1]!
    if ((await run.controller()) === added) throw new Error(`${added} is the controller`)
    cluster.signal(added, 'SIGSTOP')
    try {
      await submit(run, LOAD, [...Array.from({ length: partition }, () => undefined), replicas])
      await until('it is under way', 10_000, async () => (await ongoing(run)) === 1)
      await submit(run, LOAD, [...Array.from({ length: partition }, () => undefined), null])
    } finally {
      cluster.signal(added, 'SIGCONT')
    }
    await until('nothing is reassigned', 30_000, async () => (await ongoing(run)) === 0)
    await reassign(run, LOAD, LOAD_ASSIGNMENT)
  })

  await run.step(of('delete topics'), async () => {
    await deleteTopics(run, [`${topic}-auto`])
  })
  for (const dead of [1, 11, 0, 10]) {
    if ((await run.controller()) === dead) continue
    await run.step(of(`delete a topic while ${dead} is dead`), async () => {
      const name = `${topic}-gone-${dead}`
      await run.createTopic(name, [
        [0, 10, 1, 11],
        [11, 1, 10, 0],
      ])
      await run.agreed()
      await cluster.stop(dead, 'SIGKILL')
      await run.agreed()
      await run.askController<DeleteTopicsRequest, DeleteTopicsResponse>(ApiKey.deleteTopics, {
        topics: [{ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }],
        topicNames: [name],
        timeoutMs: 3000,
      })
      await until(`the living have no logs of ${name}`, 20_000, () =>
        cluster.running.every((id) =>
          [0, 1].every((partition) => !existsSync(join(cluster.logDirs(id)[0]!, `${name}-${partition}`))),
        ),
      )
      await cluster.start(dead)
      await until(
        `${name} is gone`,
        30_000,
        async () => (await cluster.zookeeper((session) => session.get(topicPath(name)))) === undefined,
      )
      // The same name again: nobody may still have the old log.
      await run.createTopic(name, [[dead, dead === 0 ? 1 : 0, 10 === dead ? 11 : 10]])
      await run.agreed()
      await deleteTopics(run, [name])
    })
  }
}

/** Brokers of one kind become the other, on the same id and directory, and back. */
export async function change(run: Run): Promise<void> {
  const { cluster } = run
  for (const [id, kinds] of [
    [0, ['prekraft', 'apache']],
    [10, ['apache', 'prekraft']],
  ] as const) {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      for (const kind of kinds) {
        await run.step(`change ${id} to ${kind} after ${signal}`, async () => {
          await cluster.stop(id, signal)
          // An Apache broker ends with NODEEXISTS while the session of the one before it lives; ours waits.
          if (signal === 'SIGKILL' && kind === 'apache') await run.agreed()
          await cluster.start(id, kind)
          const clean = kind === 'apache' ? 'since clean shutdown file was found' : '"cleanShutdown":true'
          if (cluster.logOf(id).includes(clean) !== (signal === 'SIGTERM'))
            throw new Error(`its start is not the one after ${signal}`)
        })
      }
    }
  }
}
