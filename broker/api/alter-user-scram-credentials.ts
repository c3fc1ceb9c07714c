import { ErrorCode, ProtocolError, errorMessage } from '../../protocol/errors'
import {
  LEAST_SCRAM_ITERATIONS, MOST_SCRAM_ITERATIONS, formatScramCredential, scramMechanisms,
} from '../../protocol/rules/scram-credential'
import { outcomeOf } from './outcome'
import type {
  AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse, AlterUserScramCredentialsResult, ScramCredentialDeletion,
  ScramCredentialUpsertion,
} from '../../protocol/messages/alter-user-scram-credentials'
import type { Input } from '../../protocol/messages/schema'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

type Result = Input<AlterUserScramCredentialsResult>

interface UserChanges {
  deletions: readonly ScramCredentialDeletion[]
  upsertions: readonly ScramCredentialUpsertion[]
}

/**
 * AlterUserScramCredentials 0 (KIP-554), on the active controller. All changes of a user are made, or none of them. The keys that
 * a broker could check a client by are kept, not the password (Kafka's ZkAdminManager).
 */
export function alterUserScramCredentialsHandler(
  services: BrokerServices,
): Handler<AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse> {
  return async (context) => {
    const users = byUser(context.body)
    if (!services.controller.isActive()) {
      const refused = { errorCode: ErrorCode.NOT_CONTROLLER, errorMessage: errorMessage(ErrorCode.NOT_CONTROLLER) }
      context.respond({ results: [...users.keys()].sort().map((user) => ({ user, ...refused })) })
      return
    }
    const results = await Promise.all([...users].map(([user, changes]) => alter(services, user, changes)))
    // Kafka's order: what is wrong comes first.
    const isDone = ({ errorCode }: Result): boolean => errorCode === ErrorCode.NONE
    context.respond({ results: [...results.filter((result) => !isDone(result)), ...results.filter(isDone)] })
  }
}

/** The bytes are copied: they are the request's. */
function byUser({ deletions, upsertions }: AlterUserScramCredentialsRequest): Map<string, UserChanges> {
  const names = new Set([...deletions, ...upsertions].map(({ name }) => name))
  return new Map([...names].map((user) => [user, {
    deletions: deletions.filter(({ name }) => name === user),
    upsertions: upsertions.filter(({ name }) => name === user).map((each) => ({
      ...each, salt: Buffer.from(each.salt), saltedPassword: Buffer.from(each.saltedPassword),
    })),
  }]))
}

async function alter(services: BrokerServices, user: string, changes: UserChanges): Promise<Result> {
  try {
    check(user, changes)
    await services.clientConfigs.change({ type: 'users', name: user }, false, (stored) => applied(stored, changes))
    return { user, errorCode: ErrorCode.NONE, errorMessage: null }
  } catch (error) {
    return { user, ...outcomeOf(services, error) }
  }
}

function check(user: string, { deletions, upsertions }: UserChanges): void {
  if (user === '') throw new ProtocolError(ErrorCode.UNACCEPTABLE_CREDENTIAL, 'Username must not be empty')
  // Of several complaints Kafka makes the last, of upsertions rather than of deletions.
  const complaints = [...deletions.map(({ mechanism }) => complaintOf(mechanism, undefined)),
    ...upsertions.map(({ mechanism, iterations }) => complaintOf(mechanism, iterations))].filter((each) => each !== undefined)
  if (complaints.length > 0) throw complaints.at(-1)!
  const mechanisms = [...deletions, ...upsertions].map(({ mechanism }) => mechanism)
  if (new Set(mechanisms).size < mechanisms.length) {
    throw new ProtocolError(ErrorCode.DUPLICATE_RESOURCE, 'A user credential cannot be altered twice in the same request')
  }
}

function complaintOf(mechanism: number, iterations: number | undefined): ProtocolError | undefined {
  if (!scramMechanisms.has(mechanism)) {
    return new ProtocolError(ErrorCode.UNSUPPORTED_SASL_MECHANISM, 'Unknown SCRAM mechanism')
  }
  if (iterations === undefined) return undefined
  if (iterations < LEAST_SCRAM_ITERATIONS) return new ProtocolError(ErrorCode.UNACCEPTABLE_CREDENTIAL, 'Too few iterations')
  if (iterations > MOST_SCRAM_ITERATIONS) return new ProtocolError(ErrorCode.UNACCEPTABLE_CREDENTIAL, 'Too many iterations')
  return undefined
}

function applied(stored: Map<string, string>, { deletions, upsertions }: UserChanges): Map<string, string> {
  for (const { mechanism } of deletions) {
    if (!stored.delete(scramMechanisms.get(mechanism)!)) {
      throw new ProtocolError(ErrorCode.RESOURCE_NOT_FOUND, 'Attempt to delete a user credential that does not exist')
    }
  }
  for (const { mechanism, iterations, salt, saltedPassword } of upsertions) {
    // Java makes no key of nothing.
    if (saltedPassword.length === 0) {
      throw new ProtocolError(ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage(ErrorCode.UNKNOWN_SERVER_ERROR))
    }
    const name = scramMechanisms.get(mechanism)!
    stored.set(name, formatScramCredential({ mechanism: name, iterations, salt, saltedPassword }))
  }
  return stored
}
