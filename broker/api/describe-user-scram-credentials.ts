import { ErrorCode, errorMessage } from '../../protocol/errors'
import { scramIterations, scramMechanisms } from '../../protocol/rules/scram-credential'
import { DEFAULT_ENTITY } from '../../zk-schema/configs'
import { ZnodeFormatError } from '../../zk-schema/znode-json'
import type {
  DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse, DescribeUserScramCredentialsResult,
} from '../../protocol/messages/describe-user-scram-credentials'
import type { Input } from '../../protocol/messages/schema'
import type { ClientConfigStore } from '../config/client-config-store'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

type Result = Input<DescribeUserScramCredentialsResult>

/**
 * DescribeUserScramCredentials 0 (KIP-554), on any broker: which mechanisms a user has credentials for, and their iterations;
 * never the credentials. No users, or null: all that have some.
 */
export function describeUserScramCredentialsHandler(
  services: BrokerServices,
): Handler<DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse> {
  return async (context) => {
    const names = (context.body.users ?? []).map(({ name }) => name)
    const store = services.clientConfigs
    try {
      context.respond({ results: names.length === 0 ? await all(store) : await some(store, names) })
    } catch (error) {
      if (!(error instanceof ZnodeFormatError)) throw error
      context.respond({ errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage: error.message })
    }
  }
}

async function all(store: ClientConfigStore): Promise<Result[]> {
  const users = await store.readAll('users')
  const results = users.map(({ entity, config }) => resultOf(entity.name ?? DEFAULT_ENTITY, config)).filter((result) => result !== undefined)
  return results.sort((a, b) => (a.user! < b.user! ? -1 : 1))
}

async function some(store: ClientConfigStore, names: readonly string[]): Promise<Result[]> {
  const distinct = [...new Set(names)]
  return Promise.all(distinct.map(async (user): Promise<Result> => {
    if (user === '') return refusal(user, ErrorCode.RESOURCE_NOT_FOUND, 'Username must not be empty')
    if (names.indexOf(user) !== names.lastIndexOf(user)) {
      const complaint = `Cannot describe SCRAM credentials for the same user twice in a single request: ${user}`
      return refusal(user, ErrorCode.DUPLICATE_RESOURCE, complaint)
    }
    const missing = `Attempt to describe a user credential that does not exist: ${user}`
    return resultOf(user, await store.read({ type: 'users', name: user })) ?? refusal(user, ErrorCode.RESOURCE_NOT_FOUND, missing)
  }))
}

function refusal(user: string, errorCode: number, message: string): Result {
  return { user, errorCode, errorMessage: message }
}

/** Undefined where the user has none. */
function resultOf(user: string, config: ReadonlyMap<string, string>): Result | undefined {
  const found = [...scramMechanisms].filter(([, name]) => config.has(name))
  if (found.length === 0) return undefined
  const credentialInfos: { mechanism: number; iterations: number }[] = []
  for (const [mechanism, name] of found) {
    const iterations = scramIterations(config.get(name)!)
    if (iterations === undefined) {
      return refusal(user, ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage(ErrorCode.UNKNOWN_SERVER_ERROR))
    }
    credentialInfos.push({ mechanism, iterations })
  }
  return { user, credentialInfos }
}
