import { checkPlan, formatPlan, parseMove, parsePlan } from '../../../../cli/reassign/plan'
import { OPTIONS, checkOptions } from '../../../../cli/reassign/options'
import { calculateMoves } from '../../../../cli/reassign/throttles'
import { parseCommandLine } from '../../../../cli/tool/command-line'

const T0 = { topic: 't', partition: 0 }

test('a plan, with directories or without', () => {
  const text = '{"partitions":[{"topic":"t","partition":1,"replicas":[1,2],"log_dirs":["any","/d"]},{"topic":"t","partition":0,"replicas":[3]}]}'
  const plan = parsePlan(text)
  expect(plan.targets).toEqual([{ topic: 't', partition: 1, replicas: [1, 2] }, { ...T0, replicas: [3] }])
  expect(plan.directories).toEqual([{ topic: 't', partition: 1, brokerId: 2, logDir: '/d' }])
  expect(formatPlan(plan.targets)).toBe(
    '{"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[3],"log_dirs":["any"]},' +
      '{"topic":"t","partition":1,"replicas":[1,2],"log_dirs":["any","any"]}]}',
  )
})

test.each([
  ['x', 'The input string is not a valid JSON'],
  ['{"version":2}', 'Not supported version field value 2'],
  ['{"partitions":[{"topic":"t","partition":0,"replicas":[1],"log_dirs":[]}]}', 'Size of replicas list [1] is different from size of log dirs list []'],
  ['{"partitions":[{"partition":0,"replicas":[1]}]}', 'No such field exists: `topic`'],
])('a file that is none: %s', (text, complaint) => {
  expect(() => parsePlan(text)).toThrow(complaint)
})

test.each<[string, number[][], string]>([
  ['nothing', [], 'Partition reassignment list cannot be empty'],
  ['no replicas', [[]], 'Partition replica list cannot be empty'],
  ['twice the same', [[1], [2]], 'Partition reassignment contains duplicate topic partitions: t-0'],
  ['a broker twice', [[1, 1]], 'Partition replica lists may not contain duplicate entries: t-0 contains multiple entries for 1'],
])('a plan that cannot be carried out: %s', (_, lists, complaint) => {
  expect(() => checkPlan({ targets: lists.map((replicas) => ({ ...T0, replicas })), directories: [] })).toThrow(complaint)
})

test('topics to move, and to whom', () => {
  expect(parseMove('{"topics":[{"topic":"a"}]}', '1,2')).toEqual({ brokers: [1, 2], topics: ['a'] })
  expect(() => parseMove('{}', '1,1')).toThrow('Broker list contains duplicate entries: [1]')
  expect(() => parseMove('{}', 'x')).toThrow('For input string: "x"')
})

test('from where to where: what moves already keeps its sources', () => {
  const underWay = [{ ...T0, replicas: [1, 2, 3], addingReplicas: [3], removingReplicas: [1] }]
  const moves = calculateMoves(underWay, [{ ...T0, replicas: [2, 4] }, { topic: 'u', partition: 5, replicas: [1, 2] }], new Map([['u-5', [1]]]))
  expect(moves.get('t')!.get(0)).toEqual({ sources: [1, 2], destinations: [4] })
  expect(moves.get('u')!.get(5)).toEqual({ sources: [1], destinations: [2] })
})

test.each([
  ['--bootstrap-server b:1', 'Command must include exactly one action'],
  ['--list', 'Please specify --bootstrap-server'],
  ['--bootstrap-server b:1 --execute', 'Missing required argument "[reassignment-json-file]"'],
  ['--bootstrap-server b:1 --list --throttle 5', `Option "[throttle]" can't be used with action "[list]"`],
])('%s', (text, complaint) => {
  const argv = text.split(' ')
  expect(() => checkOptions(parseCommandLine(OPTIONS, argv), argv)).toThrow(complaint)
})
