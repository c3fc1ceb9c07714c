/** Whom a limit is for. A part that is null is the default of its kind, one that is missing plays no part. */
export interface QuotaEntity {
  user?: string | null
  clientId?: string | null
}

/** What counts for one client: under which name it is measured, perhaps together with others, and against what. */
export interface QuotaMatch {
  sensor: string
  /** Undefined: none. */
  limit: number | undefined
}

/**
 * The limits of one quota, and which of them is for whom (Kafka's DefaultQuotaCallback). The first that is there counts: user and
 * client id; user and default client id; user; default user and client id; both defaults; default user; client id; default
 * client id. A limit of a user alone is shared by all clients of that user, the others are for each client id.
 */
export class QuotaLimits {
  private readonly limits = new Map<string, number>()

  /** Whether there are any. */
  get isEmpty(): boolean {
    return this.limits.size === 0
  }

  /** `undefined` removes it. */
  set(entity: QuotaEntity, limit: number | undefined): void {
    if (limit === undefined) this.limits.delete(keyOf(entity.user, entity.clientId))
    else this.limits.set(keyOf(entity.user, entity.clientId), limit)
  }

  match(user: string, clientId: string): QuotaMatch {
    const level = this.levelOf(user, clientId)
    if (level === 'user') return { sensor: keyOf(user, undefined), limit: this.first([user, undefined], [null, undefined]) }
    if (level === 'client') {
      const limit = clientId === '' ? undefined : this.first([undefined, clientId], [undefined, null])
      return { sensor: keyOf(undefined, clientId), limit }
    }
    // An empty client id has no limits of its own, as in Kafka: what its user has counts.
    const limit =
      clientId === ''
        ? this.first([user, undefined], [null, undefined])
        : this.first([user, clientId], [user, null], [null, clientId], [null, null])
    return { sensor: keyOf(user, clientId), limit }
  }

  private levelOf(user: string, clientId: string): 'both' | 'user' | 'client' {
    if (this.has(user, clientId) || this.has(user, null)) return 'both'
    if (this.has(user, undefined)) return 'user'
    if (this.has(null, clientId) || this.has(null, null)) return 'both'
    return this.has(null, undefined) ? 'user' : 'client'
  }

  private has(user: Part, clientId: Part): boolean {
    return this.limits.has(keyOf(user, clientId))
  }

  private first(...entities: [Part, Part][]): number | undefined {
    for (const [user, clientId] of entities) {
      const limit = this.limits.get(keyOf(user, clientId))
      if (limit !== undefined) return limit
    }
    return undefined
  }
}

type Part = string | null | undefined

/** No two entities have the same: a name is told by what stands before it, and its length. */
function keyOf(user: Part, clientId: Part): string {
  return `${partOf(user)}${partOf(clientId)}`
}

function partOf(part: Part): string {
  if (part === undefined) return '-'
  return part === null ? '*' : `${part.length}=${part}`
}
