import { LogLevels } from '../../../runtime/log-levels'
import type { Logger } from '../../../runtime/log'

function recorded(): { lines: string[]; output: Logger } {
  const lines: string[] = []
  const of = (prefix: string): Logger => {
    const say = (level: string) => (_: object, message: string): void => void lines.push(`${prefix}${level} ${message}`)
    const child = (fields: Record<string, unknown>): Logger => of(`${prefix}${JSON.stringify(fields)} `)
    return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error'), child }
  }
  return { lines, output: of('') }
}

test('a logger has the level of the nearest one above it', () => {
  const { lines, output } = recorded()
  const levels = new LogLevels(output, 'INFO')
  const log = levels.logger('kafka.log')
  const child = log.child({ a: 1 })
  const kafka = levels.logger('kafka')
  log.debug({}, 'one')
  log.info({}, 'two')
  levels.set('kafka', 'DEBUG')
  child.debug({}, 'three')
  levels.set('kafka.log', 'ERROR')
  child.warn({}, 'four')
  child.error({}, 'five')
  kafka.debug({}, 'six')
  levels.set('kafka.log', undefined)
  levels.set('kafka', undefined)
  levels.set('root', 'FATAL')
  kafka.error({}, 'seven')
  expect(lines).toEqual(['info two', '{"a":1} debug three', '{"a":1} error five', 'debug six'])
  expect(Object.fromEntries(levels.all())).toEqual({ root: 'FATAL', kafka: 'FATAL', 'kafka.log': 'FATAL' })
  expect([levels.has('kafka.log'), levels.has('kafka.other')]).toEqual([true, false])
  expect(() => levels.set('kafka.other', 'INFO')).toThrow('no logger')
  expect(() => levels.set('root', undefined)).toThrow('must have a level')
})
