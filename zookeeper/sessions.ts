/** One client's claim to its ephemerals; it outlives connections. */
export interface Session<Connection> {
  readonly id: bigint
  timeoutMs: number
  /** On the tracker's own clock, rounded up to a tick. */
  expiresAtMs: number
  connection: Connection | undefined
}

/**
 * Which sessions live, and until when (SessionTrackerImpl). Expiry is rounded up to the tick, so one visit per tick finds what is
 * due: a session dies between its time-out and one tick more after its last packet.
 *
 * Invariant: every session is in exactly one bucket, that of its `expiresAtMs`.
 */
export class Sessions<Connection> {
  private readonly byId = new Map<bigint, Session<Connection>>()
  private readonly buckets = new Map<number, Set<Session<Connection>>>()
  private readonly tickMs: number
  /** Time that does not count, because the server itself stood still and could not hear its clients. */
  private lostMs = 0
  private tickedAtMs: number

  constructor(tickMs: number, nowMs: number) {
    this.tickMs = tickMs
    this.tickedAtMs = nowMs
  }

  get size(): number {
    return this.byId.size
  }

  get(id: bigint): Session<Connection> | undefined {
    return this.byId.get(id)
  }

  all(): IterableIterator<Session<Connection>> {
    return this.byId.values()
  }

  open(id: bigint, timeoutMs: number, nowMs: number): Session<Connection> {
    const session: Session<Connection> = { id, timeoutMs, expiresAtMs: this.dueAt(timeoutMs, nowMs), connection: undefined }
    this.byId.set(id, session)
    this.file(session)
    return session
  }

  /** Any packet counts; one of a session that is over does not bring it back. */
  touch(session: Session<Connection>, nowMs: number): void {
    if (this.byId.get(session.id) !== session) return
    const due = this.dueAt(session.timeoutMs, nowMs)
    if (due <= session.expiresAtMs) return
    this.unfile(session)
    session.expiresAtMs = due
    this.file(session)
  }

  close(session: Session<Connection>): void {
    this.unfile(session)
    this.byId.delete(session.id)
  }

  /**
   * Called once a tick: the sessions that are due, in the order of their last touch. A late call means that this process was
   * stopped; its clients' packets are waiting unread, so the delay is taken out of everybody's time.
   */
  expired(nowMs: number): Session<Connection>[] {
    const late = nowMs - this.tickedAtMs - this.tickMs
    this.tickedAtMs = nowMs
    if (late > this.tickMs) this.lostMs += late
    const now = nowMs - this.lostMs
    const due: Session<Connection>[] = []
    for (const at of [...this.buckets.keys()].sort((a, b) => a - b)) {
      if (at > now) break
      due.push(...this.buckets.get(at)!)
    }
    return due
  }

  /** Until the tick to which ends are rounded up. */
  untilTickMs(nowMs: number): number {
    return this.tickMs - ((nowMs - this.lostMs) % this.tickMs)
  }

  /** What is read behind a pause and in front of the late tick counts from where the tick will put the clock. */
  private dueAt(timeoutMs: number, nowMs: number): number {
    const countedMs = Math.min(nowMs, this.tickedAtMs + 2 * this.tickMs) - this.lostMs
    return (Math.floor((countedMs + timeoutMs) / this.tickMs) + 1) * this.tickMs
  }

  private file(session: Session<Connection>): void {
    const bucket = this.buckets.get(session.expiresAtMs)
    if (bucket === undefined) this.buckets.set(session.expiresAtMs, new Set([session]))
    else bucket.add(session)
  }

  private unfile(session: Session<Connection>): void {
    const bucket = this.buckets.get(session.expiresAtMs)
    bucket?.delete(session)
    if (bucket?.size === 0) this.buckets.delete(session.expiresAtMs)
  }
}
