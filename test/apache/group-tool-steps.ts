import { Producer } from '../../index'
import { GROUP, coordinatorOf } from './coordinated'
import { OFFSETS_TOPIC } from './coordinator-steps'
import { otherKind, until } from './mixed-cluster'
import { preferredLeaders, reassign } from './requests'
import type { Kind, MixedCluster } from './mixed-cluster'
import type { Run } from './mixed-run'

const CONSUMER = 'org.apache.kafka.tools.consumer.ConsoleConsumer'
const GROUPS = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand'
const PARTITIONS = 4
const RECORDS = 100
const PATIENCE = ['--timeout', '60000']

/** Groups of either kind's console consumer on coordinators of both kinds at once, and what either kind's tool does to them. */
export async function groupToolStep(run: Run, kind: Kind): Promise<void> {
  await run.step(`console consumers and groups on coordinators of both kinds [controller: ${kind}]`, async () => {
    const topic = `console-${kind}`
    await spread(run)
    await fill(run, topic)
    const groups = await groupsOnBoth(run, `shell-${kind}`)
    for (const group of groups) await consumed(run, topic, group)
    for (const group of groups) await described(run, topic, group)
    for (const group of groups) if (group.user !== group.coordinator) await changed(run, topic, group)
  })
}

/** A group with its coordinator's kind, and the kind of the programs that use it. */
interface ToolGroup {
  id: string
  coordinator: Kind
  user: Kind
}

/** Every other partition of __consumer_offsets is led by Apache's brokers, the rest by prekraft's. */
async function spread(run: Run): Promise<void> {
  await coordinatorOf(run, GROUP, 'anybody')
  const [a, b] = run.cluster.brokersOf('apache')
  const [c, d] = run.cluster.brokersOf('prekraft')
  await reassign(run, OFFSETS_TOPIC, [
    [a!, c!, b!, d!],
    [c!, a!, d!, b!],
    [b!, d!, a!, c!],
    [d!, b!, c!, a!],
  ])
  await preferredLeaders(run)
}

async function fill(run: Run, topic: string): Promise<void> {
  await run.createTopic(topic, [
    [0, 10],
    [10, 1],
    [1, 11],
    [11, 0],
  ])
  await run.agreed()
  const producer = new Producer({ 'bootstrap.servers': run.cluster.bootstrapServers, 'linger.ms': 2 })
  const sent = Array.from({ length: RECORDS * PARTITIONS }, (_, n) =>
    producer.send({ topic, partition: n % PARTITIONS, value: `line ${n}` }),
  )
  await Promise.all(sent)
  await producer.close()
}

/** For each pair of a coordinator's kind and a user's kind. */
async function groupsOnBoth(run: Run, prefix: string): Promise<ToolGroup[]> {
  const wanted = (['apache', 'prekraft'] as const).flatMap((coordinator) =>
    (['apache', 'prekraft'] as const).map((user) => ({ coordinator, user })),
  )
  const found: ToolGroup[] = []
  for (let n = 0; wanted.length > 0 && n < 100; n++) {
    const id = `${prefix}-${n}`
    const { kind } = run.cluster.node(await coordinatorOf(run, GROUP, id))
    const at = wanted.findIndex(({ coordinator }) => coordinator === kind)
    if (at >= 0) found.push({ id, ...wanted.splice(at, 1)[0]! })
  }
  if (wanted.length > 0) throw new Error(`no group for ${JSON.stringify(wanted)}`)
  return found
}

/** A tool of this kind, asking a broker of the other. */
async function tool(cluster: MixedCluster, user: Kind, apaches: string, ours: string, args: readonly string[]): Promise<string> {
  const [through] = cluster.brokersOf(otherKind(user))
  const all = ['--bootstrap-server', `127.0.0.1:${cluster.port(through!)}`, ...args]
  return user === 'apache' ? await cluster.toolBeside(apaches, all) : await cluster.ownTool(ours, all)
}

async function groupTool(run: Run, user: Kind, args: readonly string[]): Promise<string> {
  return await tool(run.cluster, user, GROUPS, 'kafka-consumer-groups', [...PATIENCE, ...args])
}

/** Two members share the topic; together they print each line once. */
async function consumed(run: Run, topic: string, { id, user }: ToolGroup): Promise<void> {
  const args = [
    ...['--topic', topic, '--group', id, '--from-beginning', '--timeout-ms', '15000'],
    ...['--consumer-property', 'session.timeout.ms=30000', '--consumer-property', 'auto.commit.interval.ms=500'],
  ]
  const said = await Promise.all([1, 2].map(() => tool(run.cluster, user, CONSUMER, 'kafka-console-consumer', args)))
  const lines = said.flatMap((each) => each.split('\n').filter((line) => line.startsWith('line ')))
  const expected = RECORDS * PARTITIONS
  if (lines.length !== expected || new Set(lines).size !== expected)
    throw new Error(`${id}: ${lines.length} lines, ${new Set(lines).size} different ones, instead of ${expected}: ${said}`)
}

/** Topic, partition, offset and end of each row of `--describe`, sorted. */
function rows(said: string, id: string): string[] {
  return said
    .split('\n')
    .filter((line) => line.startsWith(id))
    .map((line) => line.trim().split(/\s+/).slice(1, 5).join(' '))
    .sort()
}

/** What the group has read, by both kinds' tools; and who coordinates it. */
async function described(run: Run, topic: string, { id, coordinator, user }: ToolGroup): Promise<void> {
  const wanted = Array.from({ length: PARTITIONS }, (_, partition) => `${topic} ${partition} ${RECORDS} ${RECORDS}`)
  for (const its of ['apache', 'prekraft'] as const) {
    const said = await groupTool(run, its, ['--describe', '--group', id])
    if (rows(said, id).join() !== wanted.join()) throw new Error(`${its} about ${id} at ${coordinator}: ${said}`)
  }
  const state = await groupTool(run, otherKind(user), ['--describe', '--state', '--group', id])
  const [, coordinatorId] = new RegExp(`^${id} +\\S+ +\\((\\d+)\\).* Empty +0`, 'm').exec(state) ?? []
  if (coordinatorId === undefined || run.cluster.node(Number(coordinatorId)).kind !== coordinator)
    throw new Error(`the state of ${id} at ${coordinator}: ${state}`)
  const list = await groupTool(run, user, ['--list'])
  if (!list.split('\n').includes(id)) throw new Error(`${user} does not list ${id}: ${list}`)
}

/** What one kind's tool changes, the other's shows. */
async function changed(run: Run, topic: string, { id, user }: ToolGroup): Promise<void> {
  const shown = async (what: string, wanted: readonly string[]): Promise<void> =>
    await until(`${id} after ${what}`, 60_000, async () => {
      const said = await groupTool(run, otherKind(user), ['--describe', '--group', id])
      return rows(said, id).join() === wanted.join() ? true : said
    })
  const act = async (args: readonly string[], good: RegExp): Promise<void> => {
    const said = await groupTool(run, user, ['--group', id, ...args])
    if (!good.test(said)) throw new Error(`${user}: ${args}: ${said}`)
  }
  await act(['--topic', `${topic}:0,1`, '--reset-offsets', '--to-offset', '40', '--execute'], /40/)
  const reset = [40, 40, RECORDS, RECORDS].map((offset, partition) => `${topic} ${partition} ${offset} ${RECORDS}`)
  await shown('a reset', reset)
  await act(['--topic', `${topic}:3`, '--delete-offsets'], /Successful/)
  await shown('a deletion of offsets', reset.slice(0, 3))
  await act(['--delete'], /Deletion of requested consumer groups \(.*\) was successful/)
  await until(`${id} is gone`, 60_000, async () => {
    const list = await groupTool(run, otherKind(user), ['--list'])
    return list.split('\n').includes(id) ? list : true
  })
}
