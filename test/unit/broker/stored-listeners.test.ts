import { realEnvironment } from '../../../runtime/real'
import { openSession } from '../../../zk-schema/session/session'
import { RunningCluster } from './support/running-broker'

let cluster: RunningCluster
afterEach(() => cluster.close())

test('a listener with SASL that ZooKeeper keeps for this broker refuses the start', async () => {
  cluster = await RunningCluster.start(0)
  const session = await openSession(realEnvironment(), { connect: `127.0.0.1:${cluster.zookeeperPort}` })
  await session.createRecursive('/config/brokers/0')
  const config = { listeners: 'PLAINTEXT://127.0.0.1:0,EXT://127.0.0.1:0', 'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,EXT:SASL_PLAINTEXT' }
  await session.set('/config/brokers/0', Buffer.from(JSON.stringify({ version: 1, config })), -1)
  await session.close()
  await expect(cluster.startBroker(0)).rejects.toThrow('The listener EXT uses SASL_PLAINTEXT, which is not supported yet')
})
