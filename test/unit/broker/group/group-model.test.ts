import fc from 'fast-check'
import { ErrorCode } from '../../../../protocol/errors'
import { Fixture, subscription } from './support/coordinator-fixture'
import type { Answer } from './support/coordinator-fixture'
import type { JoinResult } from '../../../../broker/group/member'

const PARTITIONS = [0, 1, 2, 3, 4]
const REBALANCE_TIMEOUT_MS = 20_000

/** What must hold whatever happens, seen from outside. */
class Oracle {
  readonly answers: { readonly values: readonly unknown[] }[] = []
  /** `generation partition` to the member that was given it. */
  readonly owners = new Map<string, string>()
  readonly acked = new Map<number, number>()
  highestAssigned = 0
  nextOffset = 1

  watch<T>(answer: Answer<T>): Answer<T> {
    this.answers.push(answer)
    return answer
  }

  own(generationId: number, partition: number, memberId: string): void {
    const key = `${generationId} ${partition}`
    const owner = this.owners.get(key)
    if (owner !== undefined && owner !== memberId) throw new Error(`${key} belongs to ${owner} and to ${memberId}`)
    this.owners.set(key, memberId)
    this.highestAssigned = Math.max(this.highestAssigned, generationId)
  }

  ack(partition: number, offset: number, generationId: number, assignedAtRequest: number): void {
    if (generationId < assignedAtRequest) throw new Error(`a commit of generation ${generationId} was taken after ${assignedAtRequest}`)
    this.acked.set(partition, Math.max(this.acked.get(partition) ?? -1, offset))
  }

  check(f: Fixture): void {
    for (const { values } of this.answers) if (values.length > 1) throw new Error('a request was answered more than once')
    for (const [partition, offset] of this.acked) {
      const found = f.committed('group', 'topic', partition)
      if (typeof found === 'number' && found < offset) throw new Error(`${partition}: ${found} is committed, ${offset} was acknowledged`)
    }
  }
}

/** A consumer, as simple as it may be. */
class Client {
  memberId = ''
  generationId = -1
  assignment: number[] = []
  private joining: Answer<JoinResult> | undefined
  private life = 0
  private readonly f: Fixture
  private readonly oracle: Oracle
  private readonly instanceId: string | null

  constructor(f: Fixture, oracle: Oracle, instanceId: string | null) {
    this.f = f
    this.oracle = oracle
    this.instanceId = instanceId
  }

  join(topics = 'topic'): void {
    if (this.joining !== undefined && !this.joining.isThere) return
    const { life } = this
    const join = this.oracle.watch(this.f.join({
      memberId: this.memberId, groupInstanceId: this.instanceId, requireKnownMemberId: this.instanceId === null,
      rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS, sessionTimeoutMs: 6000, metadata: subscription(topics),
    }))
    this.joining = join
    this.pending.push(() => {
      if (!join.isThere) return false
      if (life === this.life) this.onJoined(join.value)
      return true
    })
  }

  readonly pending: (() => boolean)[] = []

  /** Takes note of the answers that came. */
  step(): void {
    for (const each of this.pending.splice(0)) if (!each()) this.pending.push(each)
  }

  private onJoined({ errorCode, memberId, generationId, leaderId, members, skipAssignment }: JoinResult): void {
    this.assignment = []
    if (errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
      this.memberId = memberId
      this.join()
      return
    }
    if (errorCode !== ErrorCode.NONE) {
      if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID || errorCode === ErrorCode.FENCED_INSTANCE_ID) this.memberId = ''
      this.generationId = -1
      return
    }
    this.memberId = memberId
    this.generationId = generationId
    const parts: Record<string, string> = {}
    if (leaderId === memberId && !skipAssignment) {
      for (const [i, { memberId: id }] of members.entries()) {
        parts[id] = PARTITIONS.filter((partition) => partition % members.length === i).join()
      }
    }
    const { life } = this
    const sync = this.oracle.watch(this.f.sync(memberId, generationId, parts, { groupInstanceId: this.instanceId }))
    this.pending.push(() => {
      if (!sync.isThere) return false
      if (life !== this.life || sync.value.errorCode !== ErrorCode.NONE) return true
      this.assignment = sync.value.assignment.toString().split(',').filter(Boolean).map(Number)
      // A static member that came back has what its former self had.
      for (const partition of this.assignment) this.oracle.own(generationId, partition, this.instanceId ?? memberId)
      return true
    })
  }

  heartbeat(): void {
    if (this.generationId < 0) return
    const errorCode = this.f.heartbeat(this.memberId, this.generationId, this.instanceId)
    if (errorCode === ErrorCode.REBALANCE_IN_PROGRESS) this.join()
    else if (errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.NOT_COORDINATOR) {
      this.generationId = -1
      this.assignment = []
    }
    if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID || errorCode === ErrorCode.FENCED_INSTANCE_ID) this.memberId = ''
  }

  commit(): void {
    const { generationId, memberId } = this
    const assignedAtRequest = this.oracle.highestAssigned
    for (const partition of this.assignment) {
      const offset = this.oracle.nextOffset++
      const commit = this.oracle.watch(this.f.commit(offset, { memberId, groupInstanceId: this.instanceId, generationId, partition }))
      this.pending.push(() => {
        if (!commit.isThere) return false
        if (commit.value[0] === ErrorCode.NONE) this.oracle.ack(partition, offset, generationId, assignedAtRequest)
        return true
      })
    }
  }

  leave(): void {
    if (this.memberId === '') return
    this.f.coordinator.leave('group', [{ memberId: this.memberId, groupInstanceId: this.instanceId, reason: null }])
    this.crash()
  }

  crash(): void {
    this.life++
    this.memberId = ''
    this.generationId = -1
    this.assignment = []
    this.joining = undefined
  }
}

type Command =
  | { do: 'join' | 'change' | 'heartbeat' | 'commit' | 'leave' | 'crash' | 'beat'; client: number }
  | { do: 'wait'; ms: number }
  | { do: 'refuse'; errorCode: number; kept: boolean }
  | { do: 'hold' | 'release' | 'accept' | 'failOver' | 'resign' }

const client = fc.nat({ max: 3 })
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('join' as const), client }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('commit' as const), client }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('beat' as const), client }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('change' as const, 'leave' as const, 'crash' as const, 'heartbeat' as const), client }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(10, 1000, 3000, 7000, 25_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('refuse' as const), errorCode: fc.constantFrom(7, 19, 20, 6, 10), kept: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('hold' as const, 'release' as const, 'accept' as const, 'accept' as const, 'failOver' as const) }) },
)

async function run(commands: readonly Command[], initialRebalanceDelayMs: number): Promise<Fixture> {
  const f = await Fixture.start({ initialRebalanceDelayMs })
  const oracle = new Oracle()
  const clients = [null, null, 'static-1', 'static-2'].map((instanceId) => new Client(f, oracle, instanceId))
  const look = (): void => {
    for (const each of clients) each.step()
    oracle.check(f)
  }
  for (const each of commands) {
    await carryOut(each, f, clients)
    look()
    await f.clock.settle()
    look()
  }
  f.log.errorCode = ErrorCode.NONE
  f.log.release()
  await f.clock.settle()
  look()
  // After the worst everybody can work again.
  await f.clock.advance(400_000)
  for (const each of clients) each.crash()
  for (let i = 0; i < 20; i++) {
    for (const each of clients) {
      if (each.generationId < 0 || each.assignment.length === 0) each.join()
      else each.heartbeat()
    }
    await f.clock.advance(1000)
    for (let j = 0; j < 4; j++) {
      look()
      await f.clock.settle()
    }
    look()
  }
  expect(clients.flatMap(({ assignment }) => assignment).sort()).toEqual(PARTITIONS)
  expect(f.state()).toBe('Stable')
  f.coordinator.close()
  await f.clock.settle()
  for (const { values } of oracle.answers) expect(values).toHaveLength(1)
  return f
}

async function carryOut(each: Command, f: Fixture, clients: readonly Client[]): Promise<void> {
  switch (each.do) {
    case 'join':
      clients[each.client]!.join()
      break
    case 'change':
      clients[each.client]!.join('another-topic')
      break
    case 'heartbeat':
      clients[each.client]!.heartbeat()
      break
    case 'beat':
      for (const one of clients) one.heartbeat()
      break
    case 'commit':
      clients[each.client]!.commit()
      break
    case 'leave':
      clients[each.client]!.leave()
      break
    case 'crash':
      clients[each.client]!.crash()
      break
    case 'wait':
      await f.clock.advance(each.ms)
      break
    case 'refuse':
      f.log.errorCode = each.errorCode
      f.log.keepsFailed = each.kept
      break
    case 'accept':
      f.log.errorCode = ErrorCode.NONE
      break
    case 'hold':
      f.log.held ??= []
      break
    case 'release':
      f.log.release()
      break
    case 'failOver':
      f.log.release()
      await f.failOver()
      break
    case 'resign':
      f.coordinator.partitions.onResignation(0)
      break
    default:
      each satisfies never
  }
}

test('one owner per partition and generation, no lost commit, each request answered once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 10, maxLength: 60 }), fc.constantFrom(0, 3000), async (commands, delayMs) => {
      await run(commands, delayMs)
    }),
    { numRuns: Number(process.env['RUNS'] ?? 60) },
  )
}, 120_000)
