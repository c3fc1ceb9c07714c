import { Admin } from '../client/admin'
import { arrayIn, integerIn, objectIn, parseJson, readTextFile, stringIn, versionIn } from './tool/json-input'
import { exceptionText } from './tool/exceptions'
import { Progress } from './tool/progress'
import { UsageError } from './tool/command-line'
import { propertiesOf, runTool } from './tool/run'
import type { TopicPartition } from '../client/leaders'

type Deletion = TopicPartition & { offset: number }

const PURPOSE = 'This tool helps to delete records of the given partitions down to the specified offset.'

const out = (text: string): void => void process.stdout.write(`${text}\n`)

function deletionsIn(text: string): Deletion[] {
  const json = parseJson(text)
  if (json === undefined) throw new Error('The input string is not a valid JSON')
  const data = objectIn(json)
  const version = versionIn(data)
  if (version !== 1) throw new Error(`Not supported version field value ${version}`)
  if (data['partitions'] === undefined) throw new Error('Missing partitions field')
  const deletions = arrayIn(data['partitions']).map((each) => {
    const fields = objectIn(each)
    return {
      topic: stringIn(fields, 'topic'),
      partition: integerIn(fields, 'partition'),
      offset: integerIn(fields, 'offset', 'Long'),
    }
  })
  const names = deletions.map(({ topic, partition }) => `${topic}-${partition}`)
  const duplicates = [...new Set(names.filter((name, i) => names.indexOf(name) < i))]
  if (duplicates.length > 0) throw new Error(`Offset json file contains duplicate topic partitions: ${duplicates.join(',')}`)
  return deletions
}

void runTool({
  purpose: PURPOSE,
  options: [
    {
      name: 'bootstrap-server',
      argument: 'String: server(s) to use for bootstrapping',
      description: 'REQUIRED. The servers to connect to, host:port and comma.',
    },
    {
      name: 'offset-json-file',
      argument: 'String: Offset json file path',
      description:
        'REQUIRED. A file that says down to which offset, per partition; -1 means everything that is committed. Its ' +
        'form:\n{"partitions":\n  [{"topic": "foo", "partition": 1, "offset": 1}],\n "version":1\n}',
    },
    {
      name: 'command-config',
      argument: 'String: command config property file path',
      description: 'A property file with the configuration of the admin client.',
    },
  ],
  failure: (message) => ({ err: message }),
  async run(line) {
    if (process.argv.length === 2) throw new UsageError(PURPOSE)
    line.requireAll(['bootstrap-server', 'offset-json-file'])
    const admin = new Admin({ ...propertiesOf(line, 'command-config'), 'bootstrap.servers': line.required('bootstrap-server') })
    try {
      const deletions = deletionsIn(readTextFile(line.required('offset-json-file')))
      out('Executing records delete operation')
      const results = deletions.map((deletion) => admin.deleteRecords([deletion]).then((found) => [...found.values()][0]!))
      const progress = new Progress('partitions done', results.length)
      for (const result of results) void result.catch(() => {}).finally(() => progress.add())
      await Promise.allSettled(results)
      progress.clear()
      out('Records delete operation completed:')
      for (const [i, { topic, partition }] of deletions.entries()) {
        try {
          out(`partition: ${topic}-${partition}\tlow_watermark: ${await results[i]!}`)
        } catch (error) {
          out(`partition: ${topic}-${partition}\terror: ${exceptionText(error)}`)
        }
      }
    } finally {
      await admin.close()
    }
  },
})
