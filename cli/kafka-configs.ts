import { MaintenanceAdmin } from '../client/admin/maintenance'
import { alter, describe } from './configs/by-broker'
import { byZooKeeper } from './configs/by-zookeeper'
import { OPTIONS, checkOptions, entitiesOf } from './configs/options'
import { ArgumentError, UsageError } from './tool/command-line'
import { exceptionText } from './tool/exceptions'
import { propertiesOf, runTool } from './tool/run'

const argv = process.argv.slice(2)

const PURPOSE = 'This tool helps to manipulate and describe entity config for a topic, client, user, broker, ip or client-metrics'

void runTool({
  purpose: PURPOSE,
  options: OPTIONS,
  failure: (message, error) =>
    error instanceof ArgumentError || error instanceof UsageError
      ? { err: message }
      : { err: `Error while executing config command with args '${argv.join(' ')}'\n${exceptionText(error)}` },
  async run(line) {
    if (argv.length === 0) throw new UsageError(PURPOSE)
    const entities = entitiesOf(line, argv)
    const action = checkOptions(line, entities)
    if (line.has('zookeeper')) {
      await byZooKeeper(action, line, entities)
      return
    }
    if (line.has('bootstrap-controller')) {
      throw new Error('org.apache.kafka.common.errors.UnsupportedEndpointTypeException: KRaft controllers are not supported')
    }
    const servers = line.required('bootstrap-server')
    const admin = new MaintenanceAdmin({ ...propertiesOf(line, 'command-config'), 'bootstrap.servers': servers })
    try {
      if (action === 'alter') await alter(admin, line, entities)
      else await describe(admin, line, entities)
    } finally {
      await admin.close()
    }
  },
})
