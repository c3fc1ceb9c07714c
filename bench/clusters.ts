import { readFileSync } from 'node:fs'
import { ApacheKafka, hasApache } from './apache-kafka'
import { Cluster } from '../cli/start/cluster'
import { remove } from './temporary'

/** A running cluster to measure: ours, or Apache Kafka's beside it. */
export interface Subject {
  readonly name: string
  readonly bootstrap: string
  readonly zookeeper: string
  /** From nothing until every broker serves and knows the others. */
  readonly readyMs: number
  /** Of the brokers, by id. */
  readonly pids: Map<number, number>
  readonly zookeeperPid: number
  /** Starts a broker that is over, on its data; does not wait until it serves. */
  restart(id: number): void
  /** Ends everything at once, and removes the data. */
  stop(): Promise<void>
}

export class Prekraft implements Subject {
  readonly name = 'prekraft'
  readonly readyMs: number
  private readonly cluster: Cluster
  private readonly end: () => void

  constructor(cluster: Cluster, readyMs: number, end: () => void) {
    this.cluster = cluster
    this.readyMs = readyMs
    this.end = end
  }

  get dataDir(): string {
    return this.cluster.dataDir
  }

  get bootstrap(): string {
    return this.cluster.bootstrap
  }

  get zookeeper(): string {
    return this.cluster.zookeeperConnect
  }

  get pids(): Map<number, number> {
    return new Map(this.cluster.brokers.map(({ id, child }) => [id, child.pid]))
  }

  get zookeeperPid(): number {
    return this.cluster.zookeeper!.pid
  }

  restart(id: number): void {
    this.cluster.startAgain(id)
  }

  stop(): Promise<void> {
    process.off('exit', this.end)
    this.cluster.kill()
    return this.cluster.stop()
  }
}

/** A ZooKeeper and brokers of this build. */
export async function prekraft(brokers: number, overrides: Record<string, string>): Promise<Prekraft> {
  const startMs = performance.now()
  let created: Cluster | undefined
  const end = (): void => {
    created!.kill()
    remove(created!.dataDir)
  }
  const cluster = await Cluster.start(
    {
      brokers,
      firstId: 0,
      port: 0,
      zookeeperPort: 0,
      dataDir: '',
      isTemporary: true,
      zookeeper: undefined,
      overrides,
      exec: undefined,
    },
    __dirname,
    {
      say: () => {},
      onAllOver: () => {},
      onCreated: (found) => {
        created = found
        process.once('exit', end)
      },
    },
  )
  return new Prekraft(cluster, performance.now() - startMs, end)
}

/** Apache Kafka with the same settings; undefined where there is no Java, or with `--alone`. */
export async function apache(brokers: number, overrides: Record<string, string>): Promise<Subject | undefined> {
  return hasApache() ? ApacheKafka.start(brokers, overrides) : undefined
}

/** Both, ours first; `use` gets each in turn, alone on the machine. */
export async function oneAfterTheOther(
  brokers: number,
  overrides: Record<string, string>,
  use: (subject: Subject) => Promise<void>,
): Promise<void> {
  for (const start of [prekraft, apache]) {
    const subject = await start(brokers, overrides)
    if (subject === undefined) continue
    try {
      await use(subject)
    } finally {
      await subject.stop()
    }
  }
}

/** Both side by side, so that rounds can alternate; one does nothing while the other is measured. */
export async function sideBySide(
  brokers: number,
  overrides: Record<string, string>,
  use: (subjects: readonly Subject[]) => Promise<void>,
): Promise<void> {
  const subjects: Subject[] = []
  try {
    for (const start of [prekraft, apache]) {
      const subject = await start(brokers, overrides)
      if (subject !== undefined) subjects.push(subject)
    }
    await use(subjects)
  } finally {
    await Promise.all(subjects.map((subject) => subject.stop()))
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

/** Of all brokers. */
export function brokersCpuSeconds(subject: Subject): number {
  return [...subject.pids.values()].reduce((sum, pid) => sum + cpuSeconds(pid), 0)
}
