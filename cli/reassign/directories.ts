import { ErrorCode } from '../../protocol/errors'
import { Progress } from '../tool/progress'
import { byReplica, keyOf } from './plan'
import type { DirectoryTarget } from './plan'
import type { MaintenanceAdmin } from '../../client/admin/maintenance'

const RETRY_MS = 100

/** Where a replica lies, and where it is being moved to; undefined: in no directory that works, not being moved. */
interface Place {
  current: string | undefined
  future: string | undefined
}

async function placesOf(admin: MaintenanceAdmin, targets: readonly DirectoryTarget[]): Promise<Map<DirectoryTarget, Place>> {
  const brokers = [...new Set(targets.map(({ brokerId }) => brokerId))]
  const found = new Map(await Promise.all(brokers.map(async (id) => [id, await admin.describeLogDirs(id)] as const)))
  return new Map(
    targets.map((target) => {
      const place: Place = { current: undefined, future: undefined }
      for (const { logDir, errorCode, topics } of found.get(target.brokerId)!) {
        if (errorCode !== 0) continue
        for (const { partitions } of topics.filter(({ name }) => name === target.topic)) {
          for (const { partitionIndex, isFutureKey } of partitions) {
            if (partitionIndex === target.partition) place[isFutureKey ? 'future' : 'current'] = logDir
          }
        }
      }
      return [target, place]
    }),
  )
}

/** What the moves between log directories are at, a line and an object for JSON each, and whether one is under way. */
export async function directoryStates(
  admin: MaintenanceAdmin, targets: readonly DirectoryTarget[],
): Promise<{ lines: string[]; replicas: object[]; isMoving: boolean }> {
  const lines: string[] = []
  const replicas: object[] = []
  let isMoving = false
  for (const [target, { current, future }] of await placesOf(admin, [...targets].sort(byReplica))) {
    const { topic, partition, brokerId, logDir } = target
    const places = { currentReplicaLogDir: current ?? null, futureReplicaLogDir: future ?? null, targetReplicaLogDir: logDir }
    replicas.push({ topic, partition, brokerId, ...places })
    const name = keyOf(target)
    const where = `Partition ${name} on broker ${brokerId}`
    if (current === undefined) {
      lines.push(
        `Partition ${name} is not found in any live log dir on broker ${brokerId}. There is likely an offline log directory ` +
          'on the broker.',
      )
    } else if (future === undefined) {
      if (current === logDir) lines.push(`Reassignment of replica ${name}-${brokerId} completed successfully.`)
      else lines.push(`${where} is not being moved from log dir ${current} to ${logDir}.`)
    } else {
      isMoving = true
      if (future === logDir) lines.push(`Reassignment of replica ${name}-${brokerId} is still in progress.`)
      else lines.push(`${where} is being moved to log dir ${future} instead of ${logDir}.`)
    }
  }
  return { lines, replicas, isMoving }
}

/** What would call back the moves that are under way: each replica to where it lies. */
export async function returns(admin: MaintenanceAdmin, targets: readonly DirectoryTarget[]): Promise<DirectoryTarget[]> {
  const places = await placesOf(admin, targets)
  return [...places].flatMap(([target, { current, future }]) =>
    current === undefined || future === undefined ? [] : [{ ...target, logDir: current }],
  )
}

/** Asks for the moves until all have begun: a replica that is just coming to its broker cannot be moved there yet. */
export async function moveDirectories(admin: MaintenanceAdmin, targets: readonly DirectoryTarget[], timeoutMs: number): Promise<void> {
  const endMs = Date.now() + timeoutMs
  const progress = new Progress('moves have begun', targets.length)
  let pending = [...targets]
  for (;;) {
    const results = await admin.alterReplicaLogDirs(pending)
    const waiting = new Set<string>()
    for (const { topic, partition, brokerId, error } of results) {
      if (error === undefined) continue
      const name = `${topic}-${partition}-${brokerId}`
      if (error.code !== ErrorCode.REPLICA_NOT_AVAILABLE) throw new Error(`Failed to alter dir for ${name}`)
      waiting.add(name)
    }
    const isWaiting = (target: DirectoryTarget): boolean => waiting.has(`${keyOf(target)}-${target.brokerId}`)
    const begun = pending.filter((each) => !isWaiting(each)).sort(byReplica)
    if (begun.length > 0) progress.clear()
    for (const target of begun) {
      process.stdout.write(
        `Successfully started moving log directory to ${target.logDir} for replica ${keyOf(target)} with broker ${target.brokerId} \n`,
      )
    }
    pending = pending.filter(isWaiting)
    if (pending.length === 0) return
    progress.add(begun.length)
    if (Date.now() >= endMs) {
      progress.clear()
      const names = pending.sort(byReplica).map((target) => `${keyOf(target)}-${target.brokerId}`)
      throw new Error(`Timed out before log directory move${names.length === 1 ? '' : 's'} could be started for: ${names.join(',')}`)
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}
