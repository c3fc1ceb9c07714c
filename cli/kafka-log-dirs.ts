import { Admin } from '../client/admin'
import { exceptionOfCode } from './tool/exceptions'
import { UsageError } from './tool/command-line'
import { JSON_OPTION } from './tool/json'
import { propertiesOf, runTool } from './tool/run'
import type { DescribeLogDirsResult } from '../protocol/messages/describe-log-dirs'

const PURPOSE = 'This tool helps to query log directory usage on the specified brokers.'

const out = (text: string): void => void process.stdout.write(`${text}\n`)

function listOf(text: string): string[] {
  return text.split(',').filter((each) => each !== '')
}

function idOf(text: string): number {
  if (!/^[-+]?\d+$/.test(text)) throw new Error(`For input string: "${text}"`)
  return Number(text)
}

function logDirsOf(results: readonly DescribeLogDirsResult[], topics: ReadonlySet<string>): object[] {
  return results.map(({ logDir, errorCode, topics: found }) => ({
    partitions: found
      .filter(({ name }) => topics.size === 0 || topics.has(name))
      .flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, partitionSize, offsetLag, isFutureKey }) => ({
          partition: `${name}-${partitionIndex}`,
          size: partitionSize,
          offsetLag,
          isFuture: isFutureKey,
        })),
      ),
    error: errorCode === 0 ? null : exceptionOfCode(errorCode),
    logDir,
  }))
}

void runTool({
  purpose: PURPOSE,
  options: [
    {
      name: 'bootstrap-server',
      argument: 'String: The server(s) to use for bootstrapping',
      description: 'REQUIRED. The servers to connect to, host:port and comma.',
    },
    {
      name: 'command-config',
      argument: 'String: Admin client property file',
      description: 'A property file with the configuration of the admin client.',
    },
    { name: 'describe', description: 'REQUIRED. Shows what lies in the log directories of the brokers.' },
    { name: 'topic-list', argument: 'String: Topic list', description: 'The topics, by comma. All if left out. (default: )' },
    { name: 'broker-list', argument: 'String: Broker list', description: 'The ids of the brokers, by comma. All if left out. (default: )' },
    JSON_OPTION,
  ],
  failure: (message) => ({ err: message }),
  async run(line) {
    if (process.argv.length === 2) throw new UsageError(PURPOSE)
    line.requireAll(['bootstrap-server', 'describe'])
    const admin = new Admin({ ...propertiesOf(line, 'command-config'), 'bootstrap.servers': line.required('bootstrap-server') })
    try {
      const topics = new Set(listOf(line.text('topic-list', '')))
      const existing = (await admin.describeCluster()).nodes.map(({ id }) => id)
      const wanted = [...new Set(listOf(line.text('broker-list', '')).map(idOf))]
      const missing = wanted.filter((id) => !existing.includes(id))
      if (missing.length > 0) {
        const complaint = `ERROR: The given brokers do not exist from --broker-list: ${missing.join(',')}.`
        throw new Error(`${complaint} Current existent brokers: ${existing.join(',')}`)
      }
      const brokers = wanted.length === 0 ? existing : wanted.sort((a, b) => a - b)
      const isJson = line.has('json')
      if (!isJson) out('Querying brokers for log directories information')
      const found = await Promise.all(brokers.map((broker) => admin.describeLogDirs(broker)))
      if (!isJson) out(`Received log directory information from brokers ${brokers.join(',')}`)
      // In the order in which Java's hash maps give them.
      out(JSON.stringify({ brokers: brokers.map((broker, i) => ({ broker, logDirs: logDirsOf(found[i]!, topics) })), version: 1 }))
    } finally {
      await admin.close()
    }
  },
})
