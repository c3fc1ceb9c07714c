import type { MemberProtocol } from './member'

interface Voter {
  readonly protocols: readonly MemberProtocol[]
}

/** How many members support each protocol. A member that names one twice counts once. */
export class SupportedProtocols {
  private readonly counts = new Map<string, number>()

  add(protocols: readonly MemberProtocol[]): void {
    for (const name of namesOf(protocols)) this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
  }

  remove(protocols: readonly MemberProtocol[]): void {
    for (const name of namesOf(protocols)) {
      const left = (this.counts.get(name) ?? 0) - 1
      if (left > 0) this.counts.set(name, left)
      else this.counts.delete(name)
    }
  }

  isSupportedByAll(name: string, members: number): boolean {
    return (this.counts.get(name) ?? 0) === members
  }
}

function namesOf(protocols: readonly MemberProtocol[]): Set<string> {
  return new Set(protocols.map(({ name }) => name))
}

/**
 * Every member votes for the first of its protocols that all support; the one with the most votes is chosen, of several the one
 * that was voted for first. undefined if there is no such protocol.
 */
export function chooseProtocol(members: Iterable<Voter>, isCandidate: (name: string) => boolean): string | undefined {
  const votes = new Map<string, number>()
  for (const { protocols } of members) {
    const choice = protocols.find(({ name }) => isCandidate(name))
    if (choice !== undefined) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
  }
  let chosen: string | undefined
  for (const [name, count] of votes) if (chosen === undefined || count > votes.get(chosen)!) chosen = name
  return chosen
}
