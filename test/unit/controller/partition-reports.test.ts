import { ControllerContext } from '../../../controller/context'
import { PartitionReports } from '../../../controller/partition-reports'
import type { Logger } from '../../../runtime/log'

test('a thousand partitions make one line for each thing that is to be said', () => {
  const lines: [string, object, string][] = []
  const at = (level: string) => (fields: object, message: string) => void lines.push([level, fields, message])
  const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } as unknown as Logger
  const context = new ControllerContext()
  const topic = context.addTopic('t', undefined, 1, 0)
  const reports = new PartitionReports(logger)
  for (let index = 0; index < 1000; index++) {
    const partition = context.addPartition(topic, index, { replicas: [1], adding: [], removing: [] })
    reports.add('warn', partition, { reason: index === 7 ? 'another' : 'one' }, 'it cannot be done')
  }
  reports.write()
  reports.write()
  expect(lines.filter(([level]) => level !== 'debug')).toEqual([
    ['warn', { partitions: 999, first: ['t-0', 't-1', 't-2'], reason: 'one' }, 'it cannot be done'],
    ['warn', { partition: 't-7', reason: 'another' }, 'it cannot be done'],
  ])
  expect(lines.filter(([level]) => level === 'debug')).toHaveLength(1000)
})
