/** The lines of kafka-consumer-perf-test. */

const MB = 1024 * 1024

const two = (value: number, length = 2): string => String(value).padStart(length, '0')

/** A time by the letters of Java's SimpleDateFormat: y M d H m s S; quoted text and all else stands as it is. */
export function formatDate(pattern: string, timeMs: number): string {
  const date = new Date(timeMs)
  const values: Readonly<Record<string, number>> = {
    y: date.getFullYear(),
    M: date.getMonth() + 1,
    d: date.getDate(),
    H: date.getHours(),
    m: date.getMinutes(),
    s: date.getSeconds(),
    S: date.getMilliseconds(),
  }
  return pattern.replace(
    /'([^']*)'|([yMdHmsS])\2*/g,
    (letters: string, quoted: string | undefined, letter: string | undefined) => {
      if (letter === undefined) return quoted === '' ? "'" : (quoted ?? letters)
      const text = two(values[letter]!, letters.length)
      return letter === 'y' && letters.length === 2 ? text.slice(-2) : text
    },
  )
}

export function header(detailed: boolean): string {
  const first = detailed ? 'time, threadId' : 'start.time, end.time'
  return (
    `${first}, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, ` +
    `fetch.MB.sec, fetch.nMsg.sec\n`
  )
}

export interface Progress {
  startMs: number
  endMs: number
  bytes: number
  messages: number
  /** Spent in rebalances. */
  joinMs: number
}

const javaFixed = (value: number): string =>
  Number.isFinite(value) ? value.toFixed(4) : Number.isNaN(value) ? 'NaN' : 'Infinity'

/** The one line at the end. */
export function summaryLine(date: (timeMs: number) => string, { startMs, endMs, bytes, messages, joinMs }: Progress): string {
  const seconds = (endMs - startMs) / 1000
  const fetchMs = endMs - startMs - joinMs
  const mb = bytes / MB
  const cells = [
    date(startMs),
    date(endMs),
    javaFixed(mb),
    javaFixed(mb / seconds),
    messages,
    javaFixed(messages / seconds),
    joinMs,
    fetchMs,
    javaFixed(mb / (fetchMs / 1000)),
    javaFixed(messages / (fetchMs / 1000)),
  ]
  return `${cells.join(', ')}\n`
}

/** A line of an interval, with what there was in it; `total` since the beginning. */
export function intervalLine(
  date: (timeMs: number) => string,
  total: { bytes: number; messages: number },
  interval: Progress,
): string {
  const elapsedMs = interval.endMs - interval.startMs
  const fetchMs = elapsedMs - interval.joinMs
  const mb = interval.bytes / MB
  const perSecond = (value: number, ms: number): string => javaFixed(ms <= 0 ? 0 : (value / ms) * 1000)
  const cells = [
    date(interval.endMs),
    0,
    javaFixed(total.bytes / MB),
    javaFixed((1000 * mb) / elapsedMs),
    total.messages,
    javaFixed((interval.messages / elapsedMs) * 1000),
    interval.joinMs,
    fetchMs,
    perSecond(mb, fetchMs),
    perSecond(interval.messages, fetchMs),
  ]
  return `${cells.join(', ')}\n`
}
