import { ErrorCode, errorMessage } from '../../protocol/errors'
import type { CreatePartitionsResponse, CreatePartitionsTopic } from '../../protocol/messages/create-partitions'
import type { Input } from '../../protocol/messages/schema'
import { isBeingReassigned, plainAssignment } from '../assignment'
import type { Topic } from '../context'
import type { Term } from '../term'
import { planAddedPartitions, quotaExceeded, TopicRefusal } from '../topic-validation'
import { writeAssignment } from '../topic-znode'
import type { EventOf, MutationAllowance } from './event'
import { onNewPartitions, onPartitionModifications } from './topic-change'

const MAX_ATTEMPTS = 3

/** CreatePartitions: conditional on the version of the topic's znode, so that no other change is lost. */
export async function onCreatePartitions(
  term: Term, event: EventOf<'CreatePartitions'>,
): Promise<Input<CreatePartitionsResponse>> {
  const { topics, validateOnly, timeoutMs } = event.request
  const counts = new Map<string, number>()
  for (const { name } of topics) counts.set(name, (counts.get(name) ?? 0) + 1)
  const results: { name: string; errorCode: number; errorMessage: string | null }[] = []
  const answered = new Set<string>()
  for (const asked of topics) {
    if (answered.has(asked.name)) continue
    answered.add(asked.name)
    try {
      if (counts.get(asked.name)! > 1) throw new TopicRefusal(ErrorCode.INVALID_REQUEST, 'Duplicate topic in request.')
      await addPartitions(term, asked, validateOnly, event.allowance)
      const errorCode = timeoutMs <= 0 && !validateOnly ? ErrorCode.REQUEST_TIMED_OUT : ErrorCode.NONE
      results.push({ name: asked.name, errorCode, errorMessage: null })
    } catch (error) {
      if (!(error instanceof TopicRefusal)) throw error
      results.push({ name: asked.name, errorCode: error.code, errorMessage: error.message })
    }
  }
  return { results }
}

async function addPartitions(
  term: Term, asked: CreatePartitionsTopic, validateOnly: boolean, allowance: MutationAllowance | undefined,
): Promise<void> {
  const { context, env } = term
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const topic = changeableTopic(term, asked.name)
    const existing = new Map([...topic.partitions.values()].map(({ index, assignment }) => [index, assignment.replicas]))
    const brokers = context.registeredBrokerIds().map((id) => context.brokers.get(id)!)
    const added = planAddedPartitions(asked, existing, brokers, env.random)
    if (validateOnly) return
    if (attempt === 1 && allowance?.record(added.size) === false) throw quotaExceeded()
    const assignments = new Map([...added].map(([index, replicas]) => [index, plainAssignment(replicas)]))
    const outcome = await writeAssignment(term, topic, assignments, true)
    if (outcome === 'written') {
      const partitions = [...assignments].map(([index, assignment]) => context.addPartition(topic, index, assignment))
      await onNewPartitions(term, partitions)
      return
    }
    // Somebody else changed the topic: take that over first, then look whether the request still makes sense.
    await onPartitionModifications(term, { kind: 'PartitionModifications', topic: asked.name })
  }
  throw new TopicRefusal(ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage(ErrorCode.UNKNOWN_SERVER_ERROR))
}

function changeableTopic(term: Term, name: string): Topic {
  const topic = term.context.topics.get(name)
  if (topic === undefined) throw new TopicRefusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${name}' does not exist.`)
  if (topic.deletion !== 'none') throw new TopicRefusal(ErrorCode.INVALID_TOPIC_EXCEPTION, 'The topic is queued for deletion.')
  if ([...topic.partitions.values()].some(({ assignment }) => isBeingReassigned(assignment))) {
    throw new TopicRefusal(ErrorCode.REASSIGNMENT_IN_PROGRESS, `A partition reassignment is in progress for the topic '${name}'.`)
  }
  return topic
}
