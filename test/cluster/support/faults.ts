import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { controllerPath } from '../../../zk-schema/controller'
import { leaderOf, pause } from './trial'
import { meddle } from './meddling'
import type { Fault, Trial } from './trial'

/** What the brokers of these tests are started with: a short session, and a follower that lags is noticed soon. */
export const OVERRIDES = { 'zookeeper.session.timeout.ms': '4000', 'replica.lag.time.max.ms': '6000' }
export const SESSION_TIMEOUT_MS = 4000
/** The server looks for expired sessions once a tick (2000 ms). */
const CERTAINLY_EXPIRED_MS = SESSION_TIMEOUT_MS + 2500

async function controllerOf({ cluster }: Trial): Promise<number> {
  let controller = -1
  await cluster.until('there is a controller', 20_000, async () => (controller = await cluster.controllerId()) >= 0)
  return controller
}

/** A follower of partition 0 that is not the controller, if there is one. */
async function followerOf(trial: Trial): Promise<number> {
  const leader = await leaderOf(trial)
  const controller = await controllerOf(trial)
  const followers = trial.cluster.brokerIds.filter((id) => id !== leader)
  return followers.find((id) => id !== controller) ?? followers[0]!
}

/** Makes the controller lead partition 0 as well. */
async function controllerThatLeads(trial: Trial): Promise<number> {
  const controller = await controllerOf(trial)
  if ((await leaderOf(trial)) !== controller) {
    const others = trial.cluster.brokerIds.filter((id) => id !== controller)
    await trial.admin.alterPartitionReassignments([{ topic: trial.topic, partition: 0, replicas: [controller, ...others] }])
    await trial.cluster.until('the reassignment is over', 20_000, async () => (await trial.admin.listPartitionReassignments()).length === 0)
    await trial.admin.electLeaders(0, [{ topic: trial.topic, partition: 0 }])
    await trial.cluster.until('the controller leads', 20_000, async () => (await leaderOf(trial)) === controller)
  }
  return controller
}

type Victim = (trial: Trial) => Promise<number>

export const victims = { leader: leaderOf as Victim, follower: followerOf, controller: controllerOf, controllerThatLeads }

/** kill -9, and the next start after `downMs`. */
export function killAndStart(victim: Victim, downMs: number): Fault {
  return async (trial) => {
    const broker = await victim(trial)
    await trial.cluster.kill(broker)
    await pause(downMs)
    await trial.cluster.start(broker)
  }
}

/** kill -9; the others go on without it; then it comes back. */
export function killForLong(victim: Victim): Fault {
  return async (trial) => {
    const broker = await victim(trial)
    await trial.cluster.kill(broker)
    await trial.load.progress('without the killed broker')
    await trial.cluster.start(broker)
  }
}

export const killAll: Fault = async ({ cluster }) => {
  await Promise.all(cluster.brokerIds.map((id) => cluster.kill(id)))
  await Promise.all(cluster.brokerIds.map((id) => cluster.start(id, 60_000)))
}

/** The brokers and ZooKeeper. */
export const killEverything: Fault = async ({ cluster }) => {
  await Promise.all([...cluster.brokerIds.map((id) => cluster.kill(id)), cluster.killZooKeeper()])
  await cluster.startZooKeeper()
  await Promise.all(cluster.brokerIds.map((id) => cluster.start(id, 60_000)))
}

/** Stands still until its session has certainly expired and others have taken its place, then goes on as if nothing had been. */
export function zombie(victim: Victim): Fault {
  return async (trial) => {
    const { cluster, load } = trial
    const broker = await victim(trial)
    cluster.pause(broker)
    try {
      await pause(CERTAINLY_EXPIRED_MS)
      await load.progress('while a broker stands still')
    } finally {
      cluster.resume(broker)
    }
  }
}

/** Stands still for less than the session's time-out. */
export function stutter(victim: Victim): Fault {
  return async (trial) => {
    const broker = await victim(trial)
    trial.cluster.pause(broker)
    try {
      await pause(SESSION_TIMEOUT_MS * (0.4 + 0.5 * trial.random()))
    } finally {
      trial.cluster.resume(broker)
    }
  }
}

/** kill -9 of ZooKeeper, and its next start after `downMs`. */
export function restartZooKeeper(downMs: number): Fault {
  return async ({ cluster }) => {
    await cluster.killZooKeeper()
    await pause(downMs)
    await cluster.startZooKeeper()
  }
}

/** ZooKeeper stands still: connections stay open, nobody answers. */
export function zooKeeperStandsStill(forMs: number): Fault {
  return async ({ cluster }) => {
    const pid = cluster.zookeeperPid
    if (pid === undefined) throw new Error('this cluster has no ZooKeeper of its own')
    process.kill(pid, 'SIGSTOP')
    try {
      await pause(forMs)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
  }
}

export function expire(victim: Victim): Fault {
  return async (trial) => trial.cluster.expireSession(await victim(trial))
}

export const expireAll: Fault = async ({ cluster }) => {
  await Promise.all(cluster.brokerIds.map((id) => cluster.expireSession(id)))
}

export const deleteController: Fault = async ({ cluster }) => {
  await cluster.zookeeper(async (session) => {
    await session.remove(controllerPath, -1)
    await cluster.until('there is a controller', 20_000, async () => (await session.exists(controllerPath)) !== undefined)
  })
}

/** Again and again, as fast as it is there. */
export const deleteControllerOften: Fault = async ({ cluster }) => {
  await cluster.zookeeper(async (session) => {
    for (let i = 0; i < 5; i++) {
      await cluster.until('there is a controller', 20_000, async () => (await session.exists(controllerPath)) !== undefined)
      await session.remove(controllerPath, -1)
      await pause(100)
    }
  })
}

export const rollingRestart: Fault = async ({ cluster, load }) => {
  for (const broker of cluster.brokerIds) {
    await cluster.stop(broker)
    await load.progress(`while broker ${broker} is stopped`)
    await cluster.start(broker)
    await cluster.waitUntilHealthy()
  }
}

/** The log directory of a broker's replica of partition 0 goes away under it. Needs two log directories. */
export function loseLogDir(victim: Victim): Fault {
  return async (trial) => {
    const { cluster, load, topic, admin } = trial
    const broker = await victim(trial)
    const dir = cluster.logDirs(broker).find((each) => existsSync(join(each, `${topic}-0`)))
    if (dir === undefined) throw new Error(`broker ${broker} has no log of ${topic}-0`)
    // A file in its place: nothing can be created or listed there, whoever we are.
    renameSync(dir, `${dir}.away`)
    writeFileSync(dir, '')
    try {
      await cluster.until('the replica is offline', 60_000, async () => {
        const [found] = await admin.describeTopics([topic])
        return found!.partitions[0]!.offlineReplicas.includes(broker) && found!.partitions[0]!.leader !== broker
      })
      if (!cluster.isRunning(broker)) throw new Error(`broker ${broker} ended when one of its log directories was lost`)
      await load.progress('with a log directory lost')
      await cluster.kill(broker)
    } finally {
      rmSync(dir, { force: true })
      renameSync(`${dir}.away`, dir)
    }
    await cluster.start(broker)
  }
}

export { meddle }

/** All of them by name, for the campaign. */
export const faults: Readonly<Record<string, Fault>> = {
  ...Object.fromEntries(
    Object.entries(victims).flatMap(([name, victim]) => [
      ...[200, 1000, 5000].map((downMs) => [`kill ${name}, start after ${downMs} ms`, killAndStart(victim, downMs)]),
      [`kill ${name} for long`, killForLong(victim)],
      [`zombie ${name}`, zombie(victim)],
      [`stutter ${name}`, stutter(victim)],
      [`expire ${name}`, expire(victim)],
    ]),
  ),
  'kill all brokers': killAll,
  'kill everything': killEverything,
  'restart ZooKeeper at once': restartZooKeeper(0),
  'restart ZooKeeper after 3 s': restartZooKeeper(3000),
  'restart ZooKeeper after the session time-out': restartZooKeeper(SESSION_TIMEOUT_MS + 4000),
  'ZooKeeper stands still for 3 s': zooKeeperStandsStill(3000),
  'ZooKeeper stands still past the session time-out': zooKeeperStandsStill(CERTAINLY_EXPIRED_MS),
  'expire all': expireAll,
  'delete /controller': deleteController,
  'delete /controller often': deleteControllerOften,
  'rolling restart': rollingRestart,
  'lose a log directory of the leader': loseLogDir(victims.leader),
  'lose a log directory of a follower': loseLogDir(victims.follower),
  'meddle with znodes': meddle,
}
