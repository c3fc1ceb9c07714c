import { Admin } from '../../index'
import { Coordinated, GROUP, TRANSACTION, coordinatorOf } from './coordinated'
import { addPartitions, deleteTopics, preferredLeaders, reassign } from './requests'
import { stopAndContinue } from './shared-steps'
import { IS_OLDER } from './jars'
import { otherKind, until } from './mixed-cluster'
import { copierStep } from './transaction-steps'
import type { Kind } from './mixed-cluster'
import type { Run } from './mixed-run'

const GROUP_COMMAND = IS_OLDER ? 'kafka.admin.ConsumerGroupCommand' : 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand'
export const OFFSETS_TOPIC = '__consumer_offsets'
export const TRANSACTIONS_TOPIC = '__transaction_state'

/** Has brokers of this kind lead all partitions of both internal topics; brokers of the other kind come next. */
export async function moveCoordinators(run: Run, kind: Kind): Promise<void> {
  const { cluster } = run
  // They are there from the first question on.
  for (const type of [GROUP, TRANSACTION]) await coordinatorOf(run, type, 'anybody')
  const [a, b] = cluster.brokersOf(kind)
  const [c, d] = cluster.brokersOf(otherKind(kind))
  const replicas = Array.from({ length: 4 }, (_, i) => (i % 2 === 0 ? [a!, c!, b!, d!] : [b!, d!, a!, c!]))
  for (const topic of [OFFSETS_TOPIC, TRANSACTIONS_TOPIC]) await reassign(run, topic, replicas)
  await preferredLeaders(run)
}

/** What is committed and who is in the groups, as everybody is told who asks. */
async function committed(run: Run, groups: readonly string[]): Promise<string> {
  const admin = new Admin({ 'bootstrap.servers': run.cluster.bootstrapServers })
  try {
    const offsets = await admin.listOffsetsOfConsumerGroups(groups)
    const descriptions = await admin.describeConsumerGroups(groups)
    return groups
      .map((group) => {
        const found = offsets.get(group)
        const description = descriptions.get(group)
        if (found === undefined || found instanceof Error) throw found ?? new Error(`nothing of ${group}`)
        if (description === undefined || description instanceof Error) throw description ?? new Error(`nothing of ${group}`)
        const { coordinator: _, ...rest } = description
        const sorted = [...found].sort(([one], [another]) => (one < another ? -1 : 1))
        return JSON.stringify([group, rest, sorted])
      })
      .join('\n')
  } finally {
    await admin.close()
  }
}

/** Under the eyes of groups and of transactions of two clients: what the other steps do under load without them. */
async function controllersWork(run: Run, kind: Kind, load: Coordinated): Promise<void> {
  const { cluster } = run
  const topic = `beside-${kind}`
  const [, ...copied] = load.topics
  const [a, b] = cluster.brokersOf('apache')
  const [c, d] = cluster.brokersOf('prekraft')
  await run.createTopic(topic, { partitions: 4, replicas: 3 })
  // From brokers of one kind to those of the other, and mixed again; the groups' topic gets a partition.
  await Promise.all(copied.map((each) => reassign(run, each, [[a!, b!], [c!, d!], [b!, a!]])))
  await addPartitions(run, load.orders, 5)
  await run.moveController(otherKind(kind))
  await Promise.all(copied.map((each) => reassign(run, each, [[c!, a!, d!], [b!, c!, a!], [d!, b!, c!]])))
  await run.moveController(kind)
  await run.agreed()
  await load.progress('after reassignments')
  load.check('orderly')
  const controller = await run.controller()
  for (const id of [a!, c!].map((one, i) => (one === controller ? [b!, d!][i]! : one))) {
    await stopAndContinue(run, id)
    await run.agreed()
    await load.progress(`when ${id} goes on`)
    load.check('abrupt')
  }
  await preferredLeaders(run)
  await deleteTopics(run, [topic])
  await load.progress('after elections')
  load.check('orderly')
}

/** Group and transaction coordinators on both kinds, under a controller of this kind. */
export async function coordinatorSteps(run: Run, kind: Kind, isWhole: boolean): Promise<void> {
  const { cluster } = run
  const of = (name: string): string => `${name} [controller: ${kind}]`
  const kinds = [kind, otherKind(kind)]
  const names = {
    join: of('join groups, copy in transactions'),
    end: (signal: string, its: Kind): string => of(`end ${its} coordinators with ${signal}`),
    work: of('all that a controller does, under groups and transactions'),
    copier: of('TransactionalMessageCopier while its coordinators move'),
    finish: of('end groups and copies'),
    again: of('groups are the same through either kind'),
  }
  const all = [names.join, names.work, names.copier, names.finish, names.again]
  for (const its of kinds) all.push(names.end('SIGKILL', its), names.end('SIGTERM', its))
  if (!run.wants(...all)) return
  await run.moveController(kind)
  let load: Coordinated | undefined
  try {
    await run.always(names.join, async () => {
      load = await Coordinated.start(run, {
        name: kind,
        orders: [
          [0, 10, 1],
          [10, 1, 11],
          [1, 11, 0],
          [11, 0, 10],
        ],
        copied: [
          [10, 0, 11],
          [1, 10, 0],
          [11, 1, 10],
        ],
      })
      await load.progress('at the beginning')
      await load.hasMembersOfAllKinds()
      load.check('orderly')
    })
    if (load === undefined) return
    const its = load
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      for (const where of kinds) {
        await run.step(names.end(signal, where), async () => {
          await run.moveController(kind)
          await moveCoordinators(run, where)
          for (const [type, key] of [
            [GROUP, its.groups[0]!.plan.group],
            [TRANSACTION, its.lines[0]!.copiers[0]!.job.transactionalId],
          ] as const)
            if (cluster.node(await coordinatorOf(run, type, key)).kind !== where)
              throw new Error(`${key} is not coordinated by ${where}`)
          await its.progress(`when ${where} coordinates`)
          const id = await coordinatorOf(run, GROUP, its.groups[0]!.plan.group)
          await cluster.stop(id, signal)
          await run.agreed()
          await its.progress(`without broker ${id}`)
          await cluster.start(id)
          await run.agreed()
          await its.progress(`when broker ${id} is back`)
          its.check(signal === 'SIGKILL' ? 'abrupt' : 'orderly')
        })
      }
    }
    if (isWhole) await run.step(names.work, async () => await controllersWork(run, kind, its))
    // That of older releases copies more than it was asked for.
    if (!IS_OLDER) await copierStep(run, names.copier, its.orders, kinds)
    const groups = its.groups.map(({ plan }) => plan.group)
    await run.always(names.finish, async () => {
      its.check('orderly')
      const found = await its.finish()
      if (found.length > 0) throw new Error(found.slice(0, 6).join('\n         '))
    })
    await run.step(names.again, async () => {
      let before: string | undefined
      for (const where of [...kinds, kinds[0]!]) {
        await moveCoordinators(run, where)
        await until(`the groups are as they were, through ${where}`, 20_000, async () => {
          const now = await committed(run, groups)
          before ??= now
          return now === before ? true : `${before}\nnow ${now}`
        })
      }
      // Either kind's tool at either kind's brokers says the same.
      const said: string[] = []
      for (const id of [...cluster.brokersOf('apache').slice(0, 1), ...cluster.brokersOf('prekraft').slice(0, 1)]) {
        const where = ['--bootstrap-server', `127.0.0.1:${cluster.port(id)}`, '--timeout', '60000']
        const args = [...where, '--describe', '--group', groups[0]!]
        said.push(await cluster.toolBeside(GROUP_COMMAND, args))
        said.push(await cluster.ownTool('kafka-consumer-groups', args))
      }
      const rows = said.map((each) =>
        each
          .split('\n')
          .filter((line) => line.startsWith(groups[0]!))
          .map((line) => line.trim().split(/\s+/).join(' '))
          .sort()
          .join('\n'),
      )
      if (rows[0] === '' || new Set(rows).size !== 1) throw new Error(`the tools do not agree: ${said.join('\n')}`)
    })
  } finally {
    await load?.abandon()
  }
}
