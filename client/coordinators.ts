import { ApiKey } from '../protocol/messages/apis'
import { ErrorCode, ProtocolError, isRetriable } from '../protocol/errors'
import { TimeoutError, mayRetry, messageOf } from './cluster'
import type { Cluster, Node } from './cluster'
import type { FindCoordinatorResponse } from '../protocol/messages/find-coordinator'

/** What a coordinator coordinates (FindCoordinator's key type). */
export const CoordinatorType = { group: 0, transaction: 1 } as const
export type CoordinatorType = (typeof CoordinatorType)[keyof typeof CoordinatorType]

/** FindCoordinator takes many keys from this version on (KIP-699). */
const FIRST_BATCHED = 4

/** The answers stand for one node: its rack is not told. */
function nodeOf({ nodeId, host, port }: { nodeId: number; host: string; port: number }): Node {
  return { id: nodeId, host, port, rack: null }
}

/** True after an error that says: ask anew who coordinates. */
export function losesCoordinator(code: number): boolean {
  return code === ErrorCode.NOT_COORDINATOR || code === ErrorCode.COORDINATOR_NOT_AVAILABLE
}

/** Asks once, any broker. Throws NetworkError if none answers; a key's own error stands in the result. */
export async function findCoordinators(
  cluster: Cluster,
  keyType: CoordinatorType,
  keys: readonly string[],
): Promise<Map<string, Node | ProtocolError>> {
  const found = new Map<string, Node | ProtocolError>()
  let rest = [...keys]
  while (rest.length > 0) {
    const [first] = rest as [string]
    let batched = false
    const response = await cluster.sendToAny<FindCoordinatorResponse>(ApiKey.findCoordinator, (version: number) => {
      batched = version >= FIRST_BATCHED
      return batched ? { keyType, coordinatorKeys: rest } : { key: first, keyType }
    })
    if (batched) {
      for (const each of response.coordinators) {
        found.set(
          each.key,
          each.errorCode === 0 ? nodeOf(each) : new ProtocolError(each.errorCode, each.errorMessage ?? undefined),
        )
      }
      for (const key of rest) if (!found.has(key)) found.set(key, new ProtocolError(ErrorCode.COORDINATOR_NOT_AVAILABLE))
      return found
    }
    found.set(
      first,
      response.errorCode === 0 ? nodeOf(response) : new ProtocolError(response.errorCode, response.errorMessage ?? undefined),
    )
    rest = rest.slice(1)
  }
  return found
}

/**
 * Finds each key's coordinator, sends one request to each of them, and repeats for what failed in a way that passes: 14
 * (loading), 15 and 16
 * (find it anew), lost connections. Each key gets a result or an error: its own, or TimeoutError when
 * `default.api.timeout.ms` is over.
 */
export async function perCoordinator<R>(
  cluster: Cluster,
  what: string,
  keyType: CoordinatorType,
  keys: readonly string[],
  send: (coordinator: Node, keys: string[]) => Promise<Map<string, R | ProtocolError>>,
): Promise<Map<string, R | Error>> {
  const results = new Map<string, R | Error>()
  const coordinators = new Map<string, Node>()
  const last = new Map<string, unknown>()
  const open = (): string[] => [...new Set(keys)].filter((key) => !results.has(key))

  const settle = (key: string, answer: R | ProtocolError): void => {
    if (!(answer instanceof ProtocolError) || !isRetriable(answer.code)) {
      results.set(key, answer)
      return
    }
    if (losesCoordinator(answer.code)) coordinators.delete(key)
    last.set(key, answer)
  }
  const failed = (list: readonly string[], error: unknown): void => {
    for (const key of list) {
      coordinators.delete(key)
      if (mayRetry(error)) last.set(key, error)
      else results.set(key, error instanceof Error ? error : new Error(messageOf(error)))
    }
  }
  const round = async (): Promise<void> => {
    const unknown = open().filter((key) => !coordinators.has(key))
    if (unknown.length > 0) {
      for (const [key, answer] of await findCoordinators(cluster, keyType, unknown)) {
        if (answer instanceof ProtocolError) settle(key, answer)
        else coordinators.set(key, answer)
      }
    }
    const byNode = new Map<number, { node: Node; list: string[] }>()
    for (const key of open()) {
      const node = coordinators.get(key)
      if (node === undefined) continue
      const entry = byNode.get(node.id) ?? { node, list: [] }
      entry.list.push(key)
      byNode.set(node.id, entry)
    }
    await Promise.all(
      [...byNode.values()].map(async ({ node, list }) => {
        try {
          const answers = await send(node, list)
          for (const key of list)
            settle(
              key,
              answers.has(key)
                ? answers.get(key)!
                : new ProtocolError(ErrorCode.UNKNOWN_SERVER_ERROR, 'it is missing in the answer'),
            )
        } catch (error) {
          failed(list, error)
        }
      }),
    )
    const left = open()
    if (left.length > 0) throw last.get(left[0]!) ?? new ProtocolError(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  }

  try {
    await cluster.retrying(what, round)
  } catch (error) {
    for (const key of open())
      results.set(
        key,
        error instanceof TimeoutError ? new TimeoutError(error.message, { cause: last.get(key) }) : (error as Error),
      )
  }
  return results
}

/** The same for one key, whose error is thrown. */
export async function withCoordinator<R>(
  cluster: Cluster,
  what: string,
  keyType: CoordinatorType,
  key: string,
  send: (coordinator: Node) => Promise<R | ProtocolError>,
): Promise<R> {
  const results = await perCoordinator<R>(cluster, what, keyType, [key], async (node) => new Map([[key, await send(node)]]))
  const result = results.get(key)
  if (result instanceof Error) throw result
  return result as R
}
