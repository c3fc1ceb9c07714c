/** The same on Apache ZooKeeper: alone, with a chroot, and as an ensemble whose leader dies. With PREKRAFT_LIVE_ZOOKEEPER=1 only. */
import { startCluster } from '../../index'
import { startCoordinator, whyNotApache } from './support/coordinators'
import { OVERRIDES, SESSION_TIMEOUT_MS, deleteControllerOften, expire, killAll, killAndStart, meddle, victims, zombie } from './support/faults'
import { WITH_RDKAFKA, pause, underLoad } from './support/trial'
import type { Coordinator } from './support/coordinators'
import type { Fault } from './support/trial'
import type { TestCluster } from '../../index'

const reason = whyNotApache()
if (reason !== undefined) console.log(`skipped: the cluster on Apache ZooKeeper (${reason})`)
const describeLive = reason === undefined ? describe : describe.skip

describeLive.each(['apache', 'chroot', 'ensemble'] as const)('on Apache ZooKeeper (%s)', (kind) => {
  let coordinator: Coordinator
  let cluster: TestCluster

  beforeAll(async () => {
    coordinator = await startCoordinator(kind)
    cluster = await startCluster({ zookeeper: coordinator.connect!, overrides: OVERRIDES, logDirs: 2 })
  }, 120_000)

  afterAll(async () => {
    await cluster?.close()
    await coordinator?.close()
  }, 60_000)

  async function leadingServer(): Promise<number> {
    const modes = await Promise.all(coordinator.servers.map((server) => server.mode()))
    return modes.findIndex((mode) => mode === 'leader' || mode === 'standalone')
  }

  /** kill -9 of the ensemble's leader, or of the only server; it starts after `downMs`. */
  function killServer(downMs: number): Fault {
    return async ({ load }) => {
      const server = coordinator.servers[await leadingServer()]!
      await server.kill()
      if (kind === 'ensemble') await load.progress('while the leader of the ensemble is dead')
      await pause(downMs)
      server.start()
      await server.untilServing()
    }
  }

  /** The leader of the ensemble stands still while the others elect the next one. */
  const serverStandsStill: Fault = async ({ load }) => {
    const server = coordinator.servers[await leadingServer()]!
    process.kill(server.pid, 'SIGSTOP')
    try {
      await pause(SESSION_TIMEOUT_MS + 2000)
      if (kind === 'ensemble') await load.progress('while the leader of the ensemble stands still')
    } finally {
      process.kill(server.pid, 'SIGCONT')
    }
  }

  const onlyAlone: [string, Fault][] = [
    ['a leader stands still past its session and goes on', zombie(victims.leader)],
    ['all brokers are killed', killAll],
    ['the session of the controller expires', expire(victims.controllerThatLeads)],
    ['the server is away past every session', killServer(SESSION_TIMEOUT_MS + 2000)],
  ]
  test.each<[string, Fault]>([
    ['the controller that leads is killed and starts after 1 s', killAndStart(victims.controllerThatLeads, 1000)],
    ['/controller is deleted again and again', deleteControllerOften],
    ['hands meddle with the znodes', meddle],
    ['a server is killed', killServer(0)],
    ['a server stands still', serverStandsStill],
    ...(kind === 'apache' ? onlyAlone : []),
  ])('nothing is lost, repeated or reordered, and all agree, when %s', (_, fault) => underLoad(cluster, fault, { rdkafka: WITH_RDKAFKA }), 180_000)
})
