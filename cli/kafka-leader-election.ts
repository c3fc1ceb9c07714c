import { Admin, ElectionType } from '../client/admin'
import { ErrorCode, ProtocolError, errorMessage, errorName } from '../protocol/errors'
import { TimeoutError } from '../client/cluster'
import { arrayIn, integerIn, objectIn, parseJson, readTextFile, stringIn } from './tool/json-input'
import { ArgumentError, UsageError } from './tool/command-line'
import { exceptionText } from './tool/exceptions'
import { JSON_OPTION, printJson } from './tool/json'
import { propertiesOf, runTool } from './tool/run'
import type { CommandLine } from './tool/command-line'
import type { TopicPartition } from '../client/leaders'

const TIMEOUT_MS = 30_000

const PURPOSE =
  'This tool attempts to elect a new leader for a set of topic partitions. The type of elections supported are preferred ' +
  'replicas and unclean replicas.'

const out = (text: string): void => void process.stdout.write(`${text}\n`)

function checkOptions(line: CommandLine): void {
  const missing = ['bootstrap-server', 'election-type'].filter((option) => !line.has(option))
  if (missing.length > 0) throw new Error(`Missing required option(s): ${missing.join(', ')}`)
  const exclusive = ['topic', 'all-topic-partitions', 'path-to-json-file']
  if (exclusive.filter((option) => line.has(option)).length !== 1)
    throw new Error(`One and only one of the following options is required: ${exclusive.join(', ')}`)
  if (line.has('topic') && !line.has('partition')) throw new Error('Missing required option(s): partition')
  if (!line.has('topic') && line.has('partition')) throw new Error('Option partition is only allowed if topic is used')
}

function electionTypeOf(line: CommandLine): 'PREFERRED' | 'UNCLEAN' {
  const text = line.required('election-type')
  const type = text.toUpperCase()
  if (type !== 'PREFERRED' && type !== 'UNCLEAN') throw new ArgumentError(`Cannot parse argument '${text}' of option election-type`)
  return type
}

function partitionsIn(file: string): TopicPartition[] {
  let text: string
  try {
    text = readTextFile(file)
  } catch (error) {
    throw new Error(`java.io.IOException: ${(error as Error).message}`)
  }
  const json = parseJson(text)
  if (json === undefined) throw new Error('Replica election data is empty')
  const data = objectIn(json)
  if (data['partitions'] === undefined) throw new Error('Replica election data is missing "partitions" field')
  const partitions = arrayIn(data['partitions']).map((each) => {
    const fields = objectIn(each)
    return { topic: stringIn(fields, 'topic'), partition: integerIn(fields, 'partition') }
  })
  const names = partitions.map(({ topic, partition }) => `${topic}-${partition}`)
  const duplicates = [...new Set(names.filter((name, i) => names.indexOf(name) < i))]
  if (duplicates.length > 0) throw new Error(`Replica election data contains duplicate partitions: [${duplicates.join(', ')}]`)
  return partitions
}

async function elect(
  admin: Admin, type: 'PREFERRED' | 'UNCLEAN', partitions: TopicPartition[] | null, isJson: boolean,
): Promise<void> {
  const code = type === 'PREFERRED' ? ElectionType.preferred : ElectionType.unclean
  let results: Awaited<ReturnType<Admin['electLeaders']>>
  try {
    results = await admin.electLeaders(code, partitions)
  } catch (error) {
    const isDenied = error instanceof ProtocolError && error.code === ErrorCode.CLUSTER_AUTHORIZATION_FAILED
    if (!isDenied && !(error instanceof TimeoutError)) throw error
    const message = isDenied ? 'Not authorized to perform leader election' : 'Timeout waiting for election results'
    if (!isJson) out(message)
    throw new Error(message)
  }
  const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`
  const elected = results.filter(({ errorCode }) => errorCode === ErrorCode.NONE).map(nameOf)
  const needless = results.filter(({ errorCode }) => errorCode === ErrorCode.ELECTION_NOT_NEEDED).map(nameOf)
  const failed = results.filter(({ errorCode }) => errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.ELECTION_NOT_NEEDED)
  if (isJson) {
    printJson({
      electionType: type,
      partitions: results.map(({ topic, partition, errorCode, errorMessage: message }) => ({
        topic,
        partition,
        error: errorCode === ErrorCode.NONE ? null : errorName(errorCode),
        errorMessage: errorCode === ErrorCode.NONE ? null : (message ?? errorMessage(errorCode)),
      })),
    })
    if (failed.length > 0) throw new Error(`${failed.length} replica(s) could not be elected`)
    return
  }
  if (elected.length > 0) out(`Successfully completed leader election (${type}) for partitions ${elected.join(', ')}`)
  if (needless.length > 0) out(`Valid replica already elected for partitions ${needless.join(', ')}`)
  if (failed.length === 0) return
  for (const result of failed) {
    const error = new ProtocolError(result.errorCode, result.errorMessage ?? errorMessage(result.errorCode))
    out(`Error completing leader election (${type}) for partition: ${nameOf(result)}: ${exceptionText(error)}`)
  }
  throw new Error(`${failed.length} replica(s) could not be elected`)
}

void runTool({
  purpose: PURPOSE,
  options: [
    { name: 'bootstrap-server', argument: 'String: host:port', description: 'REQUIRED. The servers to connect to, host:port and comma.' },
    { name: 'admin.config', argument: 'String: config file', description: 'A property file with the configuration of the admin client.' },
    {
      name: 'path-to-json-file',
      argument: 'String: Path to JSON file',
      description:
        'A file that names the partitions. Its form:\n{"partitions":\n\t[{"topic": "foo", "partition": 1},\n\t {"topic": "foobar", ' +
        '"partition": 2}]\n}\nNot with --all-topic-partitions or --topic.',
    },
    {
      name: 'topic',
      argument: 'String: topic name',
      description: 'The topic. Not with --path-to-json-file or --all-topic-partitions.',
    },
    { name: 'partition', argument: 'Integer: partition id', description: 'The partition. REQUIRED with --topic.' },
    {
      name: 'all-topic-partitions',
      description: 'All partitions for which such an election makes sense. Not with --topic or --path-to-json-file.',
    },
    {
      name: 'election-type',
      argument: '[PREFERRED,UNCLEAN]: election type',
      description:
        'REQUIRED. "preferred" makes the first of the replicas the leader if it is not; "unclean" gives a leader to a partition ' +
        'that has none, even one that lacks records.',
    },
    JSON_OPTION,
  ],
  failure: (message) => ({ err: message }),
  async run(line) {
    if (process.argv.length === 2) throw new UsageError(PURPOSE)
    // The type is asked for after what is missing, the number of the partition whenever it is read.
    checkOptions(line)
    const type = electionTypeOf(line)
    const file = line.value('path-to-json-file')
    const topic = line.value('topic')
    const partition = line.whole('partition')
    const partitions =
      file !== undefined ? partitionsIn(file) : topic === undefined ? null : [{ topic, partition: partition! }]
    const admin = new Admin({
      'default.api.timeout.ms': String(TIMEOUT_MS),
      'request.timeout.ms': String(TIMEOUT_MS / 2),
      ...propertiesOf(line, 'admin.config'),
      'bootstrap.servers': line.required('bootstrap-server'),
    })
    try {
      await elect(admin, type, partitions, line.has('json'))
    } finally {
      await admin.close()
    }
  },
})
