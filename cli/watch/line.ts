import { znodeContent } from './znode-content'
import type { ControlRequestSeen, IsrChange, Recorded, RecordedEvent, StateTransition } from '../../recording/events'

/** Fixed columns, the last one open: time, process, kind, subject, what happened, why. */
const WIDTHS = { time: 15, process: 10, kind: 10, subject: 40, what: 62 }

interface Columns {
  kind: string
  subject: string
  what: string
  why?: string
}

/** A pause of the event loop up to here is nothing to tell. */
const SHORT_DELAY_MS = 20

export const HEADER = row('TIME', 'PROCESS', { kind: 'KIND', subject: 'SUBJECT', what: 'WHAT', why: 'WHY' })

/** One event as one line; undefined for one that nobody wants to read. */
export function lineOf({ wallUs, process, event }: Recorded): string | undefined {
  const columns = columnsOf(event)
  return columns === undefined ? undefined : row(clockTime(wallUs), process, columns)
}

function row(time: string, process: string, { kind, subject, what, why = '' }: Columns): string {
  return [
    time.padEnd(WIDTHS.time),
    process.padEnd(WIDTHS.process),
    kind.padEnd(WIDTHS.kind),
    subject.padEnd(WIDTHS.subject),
    what.padEnd(WIDTHS.what),
    oneLine(why),
  ]
    .join(' ')
    .trimEnd()
}

/** `12:00:01.123456`, in the zone of this machine. */
export function clockTime(wallUs: number): string {
  const time = new Date(Math.floor(wallUs / 1000))
  const two = (value: number): string => String(value).padStart(2, '0')
  const fraction = Math.floor(wallUs % 1_000_000)
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${String(fraction).padStart(6, '0')}`
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ')
}

const list = (numbers: readonly number[] = []): string => `[${numbers.join(',')}]`
const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
const words = (...parts: (string | false | undefined)[]): string =>
  parts.filter((part) => part !== false && part !== undefined && part !== '').join(' ')

function columnsOf(event: RecordedEvent): Columns | undefined {
  switch (event.kind) {
    case 'life':
      return { kind: 'life', subject: '', what: words(event.what, event.detail) }
    case 'znodeChange': {
      const version = event.version === undefined || event.version <= 0 ? '' : `v${event.version}`
      const content = event.content === undefined ? '' : znodeContent(event.path, Buffer.from(event.content))
      return {
        kind: event.written === true ? 'wrote' : 'znode',
        subject: event.path,
        what: oneLine(words(event.change, content, version)),
      }
    }
    case 'controllerEvent':
      return {
        kind: 'event',
        subject: event.event,
        what: words(
          event.error ? `failed: ${oneLine(event.error)}` : 'handled',
          `in ${ms(event.tookMs ?? 0)},`,
          `waited ${ms(event.waitedMs ?? 0)}`,
        ),
        why: event.detail ?? '',
      }
    case 'stateTransition':
      return transition(event)
    case 'controlRequest':
      return controlRequest(event)
    case 'isrChange':
      return isrChange(event)
    case 'truncation':
      return {
        kind: 'truncation',
        subject: `${event.topic}-${event.partition}`,
        what: `${event.fromOffset} -> ${event.toOffset}`,
        why: event.reason ?? '',
      }
    case 'election':
      return {
        kind: 'election',
        subject: '/controller',
        what: words(
          event.outcome,
          event.outcome === 'lost' ? `to broker ${event.broker}` : `by broker ${event.broker}`,
          event.controllerEpoch ? `epoch ${event.controllerEpoch}` : '',
        ),
        why: event.detail ?? '',
      }
    case 'snapshot':
      return {
        kind: 'snapshot',
        subject: '',
        what: `the controller's memory, ${event.memory.length} characters of JSON, epoch ${event.controllerEpoch}`,
      }
    case 'loopDelay':
      if (event.longestMs <= SHORT_DELAY_MS) return undefined
      return { kind: 'loop', subject: '', what: `stood still for up to ${ms(event.longestMs)}, p99 ${ms(event.p99Ms)}` }
    case 'remark':
      return { kind: event.level, subject: '', what: oneLine(event.text) }
    default:
      return undefined
  }
}

function transition({
  topic,
  partition,
  replica,
  from,
  to,
  rule,
  cause,
  leader,
  leaderEpoch,
  isr,
  error,
}: StateTransition): Columns {
  const isReplica = replica !== undefined && replica >= 0
  // What an event leaves out reads as 0, so a leader counts only where an ISR stands beside it.
  const leadership = isr !== undefined && isr.length > 0 && `leader=${leader ?? -1} epoch=${leaderEpoch ?? 0} isr=${list(isr)}`
  return {
    kind: 'state',
    subject: `${topic}-${partition}${isReplica ? ` on ${replica}` : ''}`,
    what: words(`${shortState(from)} -> ${shortState(to)}`, error ? `failed: ${oneLine(error)}` : leadership),
    why: words(cause, cause && rule ? '|' : '', rule),
  }
}

/** `OnlinePartition` is plain from the column it stands in. */
function shortState(state: string): string {
  return state.replace(/(Partition|Replica)$/, '')
}

function controlRequest({ api, phase, broker, controllerEpoch, partitions, detail, error, tookMs }: ControlRequestSeen): Columns {
  const preposition = phase === 'sent' ? 'to' : phase === 'answered' ? 'by' : 'from'
  return {
    kind: 'request',
    subject: api,
    what: words(
      phase,
      broker !== undefined && `${preposition} ${broker}`,
      partitions ? `partitions=${partitions}` : '',
      controllerEpoch ? `controllerEpoch=${controllerEpoch}` : '',
      phase === 'answered' && `after ${ms(tookMs ?? 0)}`,
      error ? `refused: ${oneLine(error)}` : '',
    ),
    why: detail ?? '',
  }
}

function isrChange({
  topic,
  partition,
  from,
  to,
  phase,
  reason,
  leaderEpoch,
  partitionEpoch,
  highWatermark,
}: IsrChange): Columns {
  return {
    kind: 'isr',
    subject: `${topic}-${partition}`,
    what: words(
      `${phase} ${list(from)} -> ${list(to)}`,
      `epoch=${leaderEpoch ?? 0}`,
      `partitionEpoch=${partitionEpoch ?? 0}`,
      highWatermark ? `hw=${highWatermark}` : '',
    ),
    why: reason ?? '',
  }
}
