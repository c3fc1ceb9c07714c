/** Dates and durations as Java's parsers read them. */

/**
 * `YYYY-MM-DDTHH:mm:SS.sss`, with `Z`, `+hh`, `+hhmm` or `+hh:mm` behind it, else UTC as Kafka's tools take it. Milliseconds
 * since 1970.
 * Throws Error in the words of Kafka's Utils.getDateTime.
 */
export function parseDateTime(text: string): number {
  const parts = text.split('T')
  if (parts.length < 2) throw new Error(`Error parsing timestamp. It does not contain a 'T' according to ISO8601 format`)
  const match = /^([+-]?\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)\.(\d+)(Z|([+-])(\d\d):?(\d\d)?)?/.exec(text)
  if (match === null) throw new Error(`Unparseable date: "${/[Z+-]/.test(parts[1]!) ? text : `${text}Z`}"`)
  const [year, month, day, hour, minute, second, milli] = match.slice(1, 8).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const offset = match[9] === undefined ? 0 : (match[9] === '-' ? -1 : 1) * (Number(match[10]) * 60 + Number(match[11] ?? 0))
  return Date.UTC(year, month - 1, day, hour, minute, second, milli) - offset * 60_000
}

const DURATION = /^([-+]?)P(?:([-+]?\d+)D)?(T(?:([-+]?\d+)H)?(?:([-+]?\d+)M)?(?:([-+]?\d+)(?:[.,](\d{0,9}))?S)?)?$/i

/** `PnDTnHnMn.nS` in milliseconds. Throws Error in the words of java.time.Duration. */
export function parseDuration(text: string): number {
  const match = DURATION.exec(text)
  const isEmpty =
    match === null || match[3]?.toUpperCase() === 'T' || (match[2] ?? match[4] ?? match[5] ?? match[6]) === undefined
  if (isEmpty) throw new Error('Text cannot be parsed to a Duration')
  const [, sign, days, , hours, minutes, seconds, fraction] = match
  const whole = ((Number(days ?? 0) * 24 + Number(hours ?? 0)) * 60 + Number(minutes ?? 0)) * 60_000 + Number(seconds ?? 0) * 1000
  const millis = Number((fraction ?? '').padEnd(3, '0').slice(0, 3)) * (seconds?.startsWith('-') === true ? -1 : 1)
  return (sign === '-' ? -1 : 1) * (whole + millis)
}
