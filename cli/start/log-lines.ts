/** A line of a process's log for a person: `12:00:01.123 WARN message key=value`; a line that is none of ours stays as it is. */
export function readable(line: string): string {
  const entry = parse(line)
  if (entry === undefined) return line
  const { time, level, msg, name: _, err, ...rest } = entry
  const particulars = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const cause = typeof err === 'object' && err !== null ? (err as { message?: unknown }).message : undefined
  if (cause !== undefined) particulars.push(`(${String(cause)})`)
  return [clockOf(time), levelName(level), String(msg ?? ''), ...particulars].join(' ').trimEnd()
}

export function isWarning(line: string): boolean {
  const level = parse(line)?.['level']
  return typeof level === 'number' && level >= 40
}

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && 'level' in value ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function clockOf(time: unknown): string {
  return typeof time === 'string' ? time.slice(11, 23) : ''
}

function levelName(level: unknown): string {
  if (typeof level !== 'number') return ''
  return level >= 60 ? 'FATAL' : level >= 50 ? 'ERROR' : level >= 40 ? 'WARN' : level >= 30 ? 'INFO' : 'DEBUG'
}
