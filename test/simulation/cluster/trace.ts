import type { Recorder } from '../../../recording/events'
import type { Logger } from '../../../runtime/log'
import type { Process } from '../world/world'

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (typeof value === 'bigint') return String(value)
  return value
}

function textOf(fields: object): string {
  const text = JSON.stringify(fields, plain)
  return text === '{}' ? '' : ` ${text.length > 600 ? `${text.slice(0, 600)}…` : text}`
}

/** What a process logs, as lines of the trace. */
export function tracingLogger(process: Process, onError: (message: string, fields: object) => void = () => {}): Logger {
  const { incarnation } = process
  const line = (level: string) => (fields: object, message: string): void => {
    if (process.incarnation !== incarnation) return
    process.world.note(process, `${level} ${message}${textOf(fields)}`)
    if (level === 'error') onError(message, fields)
  }
  const logger: Logger = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error'), child: () => logger }
  return logger
}

/** What a process records, as lines of the trace. */
export function tracingRecorder(process: Process, onEvent: (event: Parameters<Recorder['record']>[0]) => void = () => {}): Recorder {
  const { incarnation } = process
  return {
    record(event) {
      if (process.incarnation !== incarnation) return
      process.world.note(process, `recorded${textOf(event)}`)
      onEvent(event)
    },
  }
}
