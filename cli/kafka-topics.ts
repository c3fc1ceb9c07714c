import { byBroker } from './topics/by-broker'
import { byZooKeeper } from './topics/by-zookeeper'
import { checkOptions, OPTIONS } from './topics/options'
import { hasCollisionCharacters } from '../protocol/rules/topic-name'
import { UsageError } from './tool/command-line'
import { runTool } from './tool/run'

const COLLISION_WARNING =
  "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. To avoid " +
  'issues it is best to use either, but not both.'

void runTool({
  purpose: 'This tool helps to create, delete, describe, or change a topic.',
  options: OPTIONS,
  failure: (message) => ({ out: `Error while executing topic command : ${message}` }),
  async run(line) {
    if (process.argv.length === 2) throw new UsageError('Create, delete, describe, or change a topic.')
    const action = checkOptions(line)
    if (action === 'create' && hasCollisionCharacters(line.required('topic'))) process.stdout.write(`${COLLISION_WARNING}\n`)
    const lines = await (line.has('zookeeper') ? byZooKeeper(action, line) : byBroker(action, line))
    if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`)
  },
})
