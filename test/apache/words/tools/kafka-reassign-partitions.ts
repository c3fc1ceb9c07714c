import type { Line, WordsTable } from '../table'

const HOST = '--bootstrap-server {bootstrap}'
const PLAN = `--reassignment-json-file {dir}/plan.json`
const MOVE = `--topics-to-move-json-file {dir}/move.json`
/** After its message Kafka's tool shows the exception with the same message. */
const TWICE = [/^(Error: (.+))\n(?:[\w.]+Exception: )?\2\n*$/, '$1\n'] as const

function plan(...partitions: string[]): { 'plan.json': string } {
  return { 'plan.json': `{"version":1,"partitions":[${partitions.join(',')}]}` }
}

const SAME = plan('{"topic":"moved-{me}","partition":0,"replicas":[0]}')
const TOPICS = { 'move.json': '{"version":1,"topics":[{"topic":"moved-{me}"}]}' }

const lines: Line[] = [
  { args: '' },
  { args: '--help' },
  { args: '--version' },
  { args: '--nope' },
  { args: HOST },
  { args: '--list' },
  { args: `${HOST} --list` },
  { args: `${HOST} --list --throttle 5` },
  { args: `${HOST} --list --verify` },
  { args: `${HOST} --generate` },
  { args: `${HOST} --generate ${MOVE}` },
  { args: `${HOST} --generate --broker-list 0` },
  { args: `${HOST} --generate ${MOVE} --broker-list 0`, files: TOPICS },
  { args: `${HOST} --generate ${MOVE} --broker-list 0 --disable-rack-aware`, files: TOPICS },
  { args: `${HOST} --generate ${MOVE} --broker-list 0,0`, files: TOPICS },
  { args: `${HOST} --generate ${MOVE} --broker-list 99`, files: TOPICS },
  { args: `${HOST} --generate ${MOVE} --broker-list x`, files: TOPICS },
  { args: `${HOST} --generate ${MOVE} --broker-list 0`, files: { 'move.json': '{"version":1,"topics":[{"topic":"no-such"}]}' } },
  { args: `${HOST} --generate ${MOVE} --broker-list 0`, files: { 'move.json': '{"version":1,"topics":[{"topic":"t"},{"topic":"t"}]}' } },
  { args: `${HOST} --generate ${MOVE} --broker-list 0`, files: { 'move.json': '{"version":2}' } },
  { args: `${HOST} --generate ${MOVE} --broker-list 0`, files: { 'move.json': '{"version":1}' } },
  { args: `${HOST} --generate ${MOVE} --broker-list 0`, files: { 'move.json': 'no json' } },
  { args: `${HOST} --generate --topics-to-move-json-file {dir}/missing.json --broker-list 0` },
  { args: `${HOST} --execute` },
  { args: `${HOST} --execute ${PLAN}`, files: SAME },
  { args: `${HOST} --verify ${PLAN}`, files: SAME },
  { args: `${HOST} --verify ${PLAN} --preserve-throttles`, files: SAME },
  { args: `${HOST} --execute ${PLAN} --throttle 100000`, files: SAME },
  { args: `${HOST} --verify ${PLAN}`, files: SAME },
  { args: `${HOST} --execute ${PLAN} --throttle 100000 --replica-alter-log-dirs-throttle 5000 --additional`, files: SAME },
  { args: `${HOST} --verify ${PLAN}`, files: SAME },
  { args: `${HOST} --execute ${PLAN} --throttle x`, files: SAME },
  { args: `${HOST} --execute ${PLAN} --preserve-throttles`, files: SAME },
  { args: `${HOST} --verify ${PLAN} --throttle 5`, files: SAME },
  { args: `${HOST} --execute ${PLAN}`, files: plan('{"topic":"no-such","partition":0,"replicas":[0]}') },
  { args: `${HOST} --execute ${PLAN}`, files: plan('{"topic":"moved-{me}","partition":9,"replicas":[0]}') },
  { args: `${HOST} --execute ${PLAN}`, files: plan('{"topic":"moved-{me}","partition":0,"replicas":[0,0]}') },
  { args: `${HOST} --execute ${PLAN}`, files: plan('{"topic":"moved-{me}","partition":0,"replicas":[99]}') },
  { args: `${HOST} --execute ${PLAN}`, files: plan('{"topic":"moved-{me}","partition":0,"replicas":[]}') },
  { args: `${HOST} --execute ${PLAN}`, files: plan('{"topic":"moved-{me}","partition":0,"replicas":[0],"log_dirs":[]}') },
  { args: `${HOST} --execute ${PLAN}`, files: plan('{"topic":"moved-{me}","partition":0,"replicas":[0],"log_dirs":["/no/such/dir"]}'), changes: [[/(\nFailed to alter dir.*)?\n*$/, '']] },
  {
    args: `${HOST} --execute ${PLAN}`,
    files: plan('{"topic":"moved-{me}","partition":0,"replicas":[0]}', '{"topic":"moved-{me}","partition":0,"replicas":[0]}'),
  },
  { args: `${HOST} --execute ${PLAN}`, files: plan() },
  { args: `${HOST} --execute ${PLAN}`, files: { 'plan.json': '{"version":2,"partitions":[]}' } },
  { args: `${HOST} --execute ${PLAN}`, files: { 'plan.json': 'no json' }, compare: ['code'], ours: /^Error: / },
  { args: `${HOST} --execute --reassignment-json-file {dir}/missing.json` },
  { args: `${HOST} --verify ${PLAN} --preserve-throttles`, files: plan('{"topic":"moved-{me}","partition":0,"replicas":[5]}') },
  { args: `${HOST} --verify ${PLAN} --preserve-throttles`, files: plan('{"topic":"no-such","partition":0,"replicas":[0]}') },
  { args: `${HOST} --cancel` },
  { args: `${HOST} --cancel ${PLAN}`, files: SAME },
  { args: `${HOST} --cancel ${PLAN} --preserve-throttles`, files: SAME },
  { args: `${HOST} --cancel ${PLAN} --command-config {dir}/missing.properties`, files: SAME, compare: ['code'], ours: /missing\.properties cannot be read/ },
]

export const table: WordsTable = {
  tool: 'kafka-reassign-partitions',
  class: 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
  before: [{ class: 'org.apache.kafka.tools.TopicCommand', args: `${HOST} --create --topic moved-{me} --partitions 1` }],
  lines: lines.map((line) => ({ changes: [TWICE], ...line })),
}
