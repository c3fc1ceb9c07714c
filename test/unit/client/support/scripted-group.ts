import { ApiKey } from '../../../../protocol/messages/apis'
import { decodeSubscription, encodeAssignment } from '../../../../client/group/protocol'
import type { Loose, ScriptedBroker } from './scripted-broker'
import type { TopicPartition } from '../../../../client/leaders'

/** The coordinator of a group with one member, as it should be; tests put errors in front of its answers. */
export class ScriptedGroup {
  readonly broker: ScriptedBroker
  generationId = 0
  readonly memberId = 'member-1'
  /** What the member is given; undefined: what it assigns as the leader. */
  assignment: TopicPartition[] | undefined
  committed = new Map<string, number>()
  private readonly errors = new Map<number, number[]>()

  constructor(broker: ScriptedBroker) {
    this.broker = broker
    broker.on(ApiKey.joinGroup, (body) => this.join(body))
    broker.on(ApiKey.syncGroup, (body) => this.sync(body))
    broker.on(ApiKey.heartbeat, () => ({ errorCode: this.error(ApiKey.heartbeat) }))
    broker.on(ApiKey.leaveGroup, (body) => ({
      errorCode: 0,
      members: body.members.map((each: Loose) => ({ ...each, errorCode: 0 })),
    }))
    broker.on(ApiKey.offsetCommit, (body) => this.commit(body))
  }

  /** The next answers to this request have these error codes. */
  fail(apiKey: number, ...codes: number[]): this {
    this.errors.set(apiKey, [...(this.errors.get(apiKey) ?? []), ...codes])
    return this
  }

  private error(apiKey: number): number {
    return this.errors.get(apiKey)?.shift() ?? 0
  }

  private join(body: Loose): object {
    const errorCode = this.error(ApiKey.joinGroup)
    const refusal = { errorCode, generationId: -1, protocolType: null, protocolName: null, leader: '', memberId: '', members: [] }
    if (errorCode !== 0) return refusal
    if (body.memberId === '' && body.groupInstanceId === null) return { ...refusal, errorCode: 79, memberId: this.memberId }
    this.generationId++
    return {
      generationId: this.generationId,
      protocolType: 'consumer',
      protocolName: body.protocols[0].name,
      leader: this.memberId,
      memberId: this.memberId,
      members: [{ memberId: this.memberId, groupInstanceId: body.groupInstanceId, metadata: body.protocols[0].metadata }],
    }
  }

  private sync(body: Loose): object {
    const errorCode = this.error(ApiKey.syncGroup)
    const given =
      this.assignment === undefined
        ? body.assignments[0]?.assignment
        : encodeAssignment({ partitions: this.assignment, userData: null })
    return {
      errorCode,
      protocolType: 'consumer',
      protocolName: body.protocolName,
      assignment: errorCode === 0 ? given : Buffer.alloc(0),
    }
  }

  private commit(body: Loose): object {
    const errorCode = this.error(ApiKey.offsetCommit)
    return {
      topics: body.topics.map((topic: Loose) => ({
        name: topic.name,
        partitions: topic.partitions.map((each: Loose) => {
          if (errorCode === 0) this.committed.set(`${topic.name}-${each.partitionIndex}`, each.committedOffset)
          return { partitionIndex: each.partitionIndex, errorCode }
        }),
      })),
    }
  }

  /** What the member said in its last JoinGroup. */
  lastSubscription(): ReturnType<typeof decodeSubscription> {
    return decodeSubscription(this.broker.of(ApiKey.joinGroup).at(-1)!.body.protocols[0].metadata)
  }
}
