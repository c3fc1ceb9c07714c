import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { startCluster } from '../index'

/** A running cluster to measure: ours, or Apache Kafka's beside it. */
export interface Subject {
  name: string
  bootstrap: string
  zookeeper: string
  /** How long it took until it was ready. */
  readyMs: number
  pids: Map<number, number>
  stop(): Promise<void>
}

export async function prekraft(brokers: number, overrides: Record<string, string>): Promise<Subject> {
  const startMs = performance.now()
  const cluster = await startCluster({ brokers, overrides })
  return {
    name: 'prekraft',
    bootstrap: cluster.bootstrapServers,
    zookeeper: cluster.zookeeperConnect,
    readyMs: performance.now() - startMs,
    pids: new Map(cluster.brokerIds.map((id) => [id, cluster.pid(id)])),
    stop: () => cluster.close(),
  }
}

/**
 * Apache Kafka by the script that APACHE_KAFKA names: `SCRIPT start -n N -p PORT -z PORT -d DIR -- key=value ...` prints
 * `ready bootstrap=... zookeeper=... ms=...`, `SCRIPT stop -d DIR` ends it.
 */
export function apache(brokers: number, overrides: Record<string, string>): Subject | undefined {
  const script = process.env['APACHE_KAFKA']
  if (script === undefined) return undefined
  const directory = join(tmpdir(), `apache-kafka-bench-${process.pid}`)
  const output = execFileSync(
    'bash',
    [script, 'start', '-n', String(brokers), '-p', '39092', '-z', '32181', '-d', directory, '--', ...Object.entries(overrides).map(([key, value]) => `${key}=${value}`)],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const match = /ready bootstrap=(\S+) zookeeper=(\S+) ms=(\d+)/.exec(output)!
  return {
    name: 'Apache Kafka',
    bootstrap: match[1]!,
    zookeeper: match[2]!,
    readyMs: Number(match[3]),
    pids: new Map(Array.from({ length: brokers }, (_, id) => [id, Number(readFileSync(join(directory, `b${id}.pid`), 'utf8'))])),
    stop() {
      execFileSync('bash', [script, 'stop', '-d', directory])
      rmSync(directory, { recursive: true, force: true })
      return Promise.resolve()
    },
  }
}

/** Resident memory of a process in MiB. */
export function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
}

/** CPU seconds that a process has used, user and system. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}
