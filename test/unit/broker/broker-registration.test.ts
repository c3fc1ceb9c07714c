import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BrokerRegistrar } from '../../../broker/broker-registration'
import { silentLogger } from '../../../runtime/log'
import { realEnvironment } from '../../../runtime/real'
import { ensureTopLevelPaths } from '../../../zk-schema/operations/ensure-top-level'
import { SessionKeeper } from '../../../zk-schema/session/keeper'
import { openSession } from '../../../zk-schema/session/session'
import type { ZooKeeperSession } from '../../../zk-schema/session/session'
import { startZooKeeperServer } from '../../../zookeeper/server'

const env = realEnvironment()

test('a broker whose session has ended may not act before the next one has registered', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'registrar-'))
  const server = await startZooKeeperServer(env)
  const connect = `127.0.0.1:${server.port}`
  const keeper = new SessionKeeper(env, { connect, sessionTimeoutMs: 6000 })
  try {
    const first = await keeper.start()
    await ensureTopLevelPaths(first)
    const registrar = new BrokerRegistrar({
      env, keeper, version: 5, sessionDirectory: directory, onRegistered: () => {}, logger: silentLogger,
      broker: { brokerId: 1, endpoints: [], rack: null, jmxPort: -1, features: {} },
    })
    expect(registrar.mayAct()).toBe(false)
    await registrar.register()
    expect(registrar.mayAct()).toBe(true)
    const epoch = registrar.epoch

    const next = new Promise<ZooKeeperSession>((resolve) => keeper.onNewSession(resolve))
    const second = await openSession(env, { connect, credentials: { id: first.id, password: first.password } })
    await second.close()
    expect((await next).mayAct()).toBe(true)
    expect(registrar.mayAct()).toBe(false)
    await registrar.register()
    expect(registrar.mayAct()).toBe(true)
    expect(registrar.epoch).toBeGreaterThan(epoch)
  } finally {
    await keeper.close()
    await server.close()
    rmSync(directory, { recursive: true })
  }
})
