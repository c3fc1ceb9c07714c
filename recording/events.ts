/**
 * What a process writes down. The fields mean what recording.proto says of them; those that an event leaves out read as 0, ''
 * or an empty list.
 */

export interface Life {
  kind: 'life'
  what: string
  detail?: string
}

export interface ZnodeChange {
  kind: 'znodeChange'
  path: string
  change: 'created' | 'changed' | 'deleted' | 'children'
  content?: string
  version?: number
  written?: boolean
}

export interface ControllerEventHandled {
  kind: 'controllerEvent'
  event: string
  controllerEpoch?: number
  waitedMs?: number
  tookMs?: number
  detail?: string
  error?: string
}

export interface StateTransition {
  kind: 'stateTransition'
  topic: string
  partition: number
  /** -1 (also when left out) for the partition's own state. */
  replica?: number
  from: string
  to: string
  rule?: string
  cause?: string
  leader?: number
  leaderEpoch?: number
  isr?: readonly number[]
  controllerEpoch?: number
  error?: string
}

export interface ControlRequestSeen {
  kind: 'controlRequest'
  api: string
  phase: 'sent' | 'answered' | 'received'
  broker?: number
  controllerEpoch?: number
  partitions?: number
  detail?: string
  error?: string
  tookMs?: number
}

export interface IsrChange {
  kind: 'isrChange'
  topic: string
  partition: number
  from: readonly number[]
  to: readonly number[]
  phase: 'proposed' | 'committed' | 'rejected'
  reason?: string
  leaderEpoch?: number
  partitionEpoch?: number
  highWatermark?: number
}

export interface Truncation {
  kind: 'truncation'
  topic: string
  partition: number
  fromOffset: number
  toOffset: number
  reason?: string
}

export interface ControllerElection {
  kind: 'election'
  outcome: 'won' | 'lost' | 'resigned' | 'moved'
  broker: number
  controllerEpoch?: number
  detail?: string
}

export interface MemorySnapshot {
  kind: 'snapshot'
  controllerEpoch: number
  /** JSON. */
  memory: string
}

export interface LoopDelay {
  kind: 'loopDelay'
  longestMs: number
  p99Ms: number
}

export interface Remark {
  kind: 'remark'
  level: 'info' | 'warn' | 'error'
  text: string
}

export type RecordedEvent =
  | Life
  | ZnodeChange
  | ControllerEventHandled
  | StateTransition
  | ControlRequestSeen
  | IsrChange
  | Truncation
  | ControllerElection
  | MemorySnapshot
  | LoopDelay
  | Remark

/** An event as it was read back: with all its fields, and where and when it happened. */
export interface Recorded {
  /** Of the process, from 1, without gaps while it lives. */
  sequence: number
  /** Microseconds since 1970. */
  wallUs: number
  monoMs: number
  /** `broker-1`, `zookeeper`, `watch`. */
  process: string
  event: RecordedEvent
}

export interface Recorder {
  record(event: RecordedEvent): void
}

/** For where nobody reads. */
export const noRecorder: Recorder = { record() {} }
