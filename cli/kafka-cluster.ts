import { Admin } from '../client/admin'
import { runArgparseTool } from './tool/argparse-tool'
import { JSON_ARGUMENT, printJson } from './tool/json'
import { propertiesIn } from './tool/run'
import type { Argument, Parser } from './tool/argparse'

const CONNECTION: readonly Argument[] = [
  {
    name: '--bootstrap-server',
    short: '-b',
    longFirst: true,
    oneOf: 'connection',
    help: 'The servers to connect to, host:port and comma.',
  },
  {
    name: '--bootstrap-controller',
    short: '-C',
    longFirst: true,
    oneOf: 'connection',
    help: 'The KRaft controllers to connect to, host:port and comma.',
  },
  { name: '--config', short: '-c', longFirst: true, help: 'A property file with the configuration of the admin client.' },
]

/** The key of the request that brokers of clusters without ZooKeeper take. */
const UNREGISTER_BROKER = 64

const PARSER: Parser = {
  program: 'kafka-cluster',
  namesCommands: true,
  description: 'The Kafka cluster tool.',
  arguments: [],
  commands: [
    { name: 'cluster-id', help: 'Shows the id of the cluster.', arguments: [...CONNECTION, JSON_ARGUMENT] },
    {
      name: 'unregister',
      help: 'Unregisters a broker (without ZooKeeper only).',
      arguments: [
        ...CONNECTION,
        { name: '--id', short: '-i', longFirst: true, kind: 'integer', required: true, help: 'The id of the broker to unregister.' },
      ],
    },
  ],
}

void runArgparseTool(PARSER, async (given) => {
  const file = given.text('--config')
  const properties = file === undefined ? {} : propertiesIn(file)
  const servers = given.text('--bootstrap-server')
  if (servers === undefined) throw new Error('KRaft controllers are not supported: connect to a broker by --bootstrap-server')
  const admin = new Admin({ ...properties, 'bootstrap.servers': servers })
  try {
    if (given.command === 'unregister') {
      // No broker that ZooKeeper coordinates can be unregistered.
      const { nodes } = await admin.describeCluster()
      const { apiKeys } = await admin.apiVersions(nodes[0]!)
      if (apiKeys.some(({ apiKey }) => apiKey === UNREGISTER_BROKER))
        throw new Error('Brokers of a cluster without ZooKeeper are not unregistered by this tool')
      process.stdout.write('The target cluster does not support the broker unregistration API.\n')
      return
    }
    const { clusterId } = await admin.describeCluster()
    if (given.has('--json')) printJson({ clusterId })
    else if (clusterId === null) process.stdout.write('No cluster ID found. The Kafka version is probably too old.\n')
    else process.stdout.write(`Cluster ID: ${clusterId}\n`)
  } finally {
    await admin.close()
  }
})
