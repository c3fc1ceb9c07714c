import { spawn } from 'node:child_process'
import { Producer } from '../../index'
import { GROUP, coordinatorOf } from './coordinated'
import { OFFSETS_TOPIC } from './coordinator-steps'
import { javaTool, otherKind, ownTool, until } from './mixed-cluster'
import { deleteTopics, preferredLeaders, reassign } from './requests'
import type { ChildProcess } from 'node:child_process'
import type { Kind, MixedCluster } from './mixed-cluster'
import type { Run } from './mixed-run'

const CONSUMER = 'org.apache.kafka.tools.consumer.ConsoleConsumer'
const GROUPS = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand'
const PARTITIONS = 4
const RECORDS = 100

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
    await deleteTopics(run, [topic])
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

/** A broker of the other kind than its user. */
function through(cluster: MixedCluster, user: Kind): string[] {
  return ['--bootstrap-server', `127.0.0.1:${cluster.port(cluster.brokersOf(otherKind(user))[0]!)}`]
}

async function groupTool(run: Run, user: Kind, args: readonly string[]): Promise<string> {
  const { cluster } = run
  const all = [...through(cluster, user), '--timeout', '60000', ...args]
  return user === 'apache' ? await cluster.toolBeside(GROUPS, all) : await cluster.ownTool('kafka-consumer-groups', all)
}

/** A console consumer, until it is told to end. */
class Reader {
  said = ''
  private readonly child: ChildProcess
  private readonly ended: Promise<unknown>

  constructor(words: readonly string[]) {
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.child.stdout!.on('data', (chunk: Buffer) => (this.said += chunk.toString()))
    this.child.stderr!.on('data', (chunk: Buffer) => (this.said += chunk.toString()))
    this.ended = new Promise((resolve) => this.child.once('close', resolve))
  }

  get lines(): string[] {
    return this.said.split('\n').filter((line) => line.startsWith('line '))
  }

  async end(): Promise<void> {
    this.child.kill('SIGTERM')
    const late = setTimeout(() => this.child.kill('SIGKILL'), 30_000)
    await this.ended
    clearTimeout(late)
  }
}

/** Two members share the topic; together they print each line. */
async function consumed(run: Run, topic: string, { id, user }: ToolGroup): Promise<void> {
  const args = [
    ...through(run.cluster, user),
    ...['--topic', topic, '--group', id, '--from-beginning'],
    ...['--consumer-property', 'session.timeout.ms=30000', '--consumer-property', 'auto.commit.interval.ms=500'],
  ]
  const words = user === 'apache' ? javaTool(CONSUMER, args) : ownTool('kafka-console-consumer', args)
  const readers = [1, 2].map(() => new Reader(words))
  const lines = (): string[] => readers.flatMap((reader) => reader.lines)
  const expected = RECORDS * PARTITIONS
  try {
    await until(`${id} has read all`, 90_000, () => {
      const { size } = new Set(lines())
      return size === expected ? true : `${size} lines: ${readers.map(({ said }) => said.slice(-300))}`
    })
  } finally {
    await Promise.all(readers.map((reader) => reader.end()))
  }
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
    await until(`${its} about ${id} at ${coordinator}`, 60_000, async () => {
      const said = await groupTool(run, its, ['--describe', '--group', id])
      return rows(said, id).join() === wanted.join() ? true : said
    })
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
