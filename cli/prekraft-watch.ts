/** `prekraft-watch.sh`: what ZooKeeper, the controller and the brokers do, live, one line per event. */
import { realEnvironment } from '../runtime/real'
import { UsageError } from './tool/command-line'
import { runTool } from './tool/run'
import { recordingsIn, zookeeperOf } from './watch/directories'
import { HEADER, lineOf } from './watch/line'
import { Merger } from './watch/merger'
import { RecordingSource } from './watch/recording-source'
import { askForSnapshot } from './watch/snapshot'
import { ZooKeeperSource } from './watch/zookeeper-source'
import type { CommandLine } from './tool/command-line'
import type { Recorded, RecordedEvent } from '../recording/events'

/** How long an event waits for earlier ones of other processes. */
const WINDOW_MS = 150
const FLUSH_MS = 30
const LOOK_FOR_BROKERS_MS = 1000
const SNAPSHOT_TIMEOUT_MS = 2000

const DEFAULT_DATA = './data'

function wallUs(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000)
}

class Watch {
  private readonly sources = new Map<string, RecordingSource>()
  private readonly merger = new Merger(WINDOW_MS, (recorded) => this.print(recorded))
  private readonly fromBeginning: boolean
  private zookeeper: ZooKeeperSource | undefined
  private sequence = 0

  constructor(fromBeginning: boolean) {
    this.fromBeginning = fromBeginning
  }

  followRecordings(directories: readonly string[]): void {
    for (const directory of directories) {
      if (this.sources.has(directory)) continue
      const source = new RecordingSource({
        directory,
        fromBeginning: this.fromBeginning,
        onEvent: (recorded) => this.add(recorded),
        onRemark: (process, text) => this.say(process, { kind: 'life', what: text }),
      })
      this.sources.set(directory, source)
      source.start()
    }
  }

  followZooKeeper(connect: string): void {
    this.zookeeper = new ZooKeeperSource(realEnvironment(), { connect, wallUs, onEvent: (recorded) => this.add(recorded) })
    this.zookeeper.start()
  }

  flush(): void {
    this.merger.flush(performance.now())
  }

  async close(): Promise<void> {
    for (const source of this.sources.values()) source.close()
    await this.zookeeper?.close()
    this.merger.drain()
  }

  private add(recorded: Recorded): void {
    this.merger.add(recorded, performance.now())
  }

  private say(process: string, event: RecordedEvent): void {
    this.add({ sequence: ++this.sequence, wallUs: wallUs(), monoMs: performance.now(), process, event })
  }

  private print(recorded: Recorded): void {
    const line = lineOf(recorded)
    if (line !== undefined) process.stdout.write(`${line}\n`)
  }
}

async function run(line: CommandLine): Promise<number> {
  const named = line.values('recording')
  const data = line.value('data') ?? (named.length === 0 ? DEFAULT_DATA : undefined)
  const recordings = (): string[] => [...named, ...(data === undefined ? [] : recordingsIn(data))]
  const connect = line.value('zookeeper') ?? (data === undefined ? undefined : zookeeperOf(data))
  if (recordings().length === 0 && connect === undefined) {
    throw new UsageError(
      `There is no broker in ${data ?? DEFAULT_DATA}: name its data directory with --data, or what to watch with ` +
        '--recording and --zookeeper.',
    )
  }
  if (line.has('snapshot')) {
    const memory = await askForSnapshot(recordings(), SNAPSHOT_TIMEOUT_MS)
    if (memory === undefined) throw new Error('No process that can be asked is the controller.')
    process.stdout.write(`${memory}\n`)
    return 0
  }
  const watch = new Watch(line.has('from-beginning'))
  process.stdout.write(`${HEADER}\n`)
  watch.followRecordings(recordings())
  if (connect !== undefined) watch.followZooKeeper(connect)
  const timers = [
    setInterval(() => watch.flush(), FLUSH_MS),
    setInterval(() => watch.followRecordings(recordings()), LOOK_FOR_BROKERS_MS),
  ]
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
  timers.forEach(clearInterval)
  await watch.close()
  return 0
}

void runTool({
  purpose: 'This tool shows what ZooKeeper, the controller and the brokers do, live, one line per event.',
  options: [
    {
      name: 'data',
      argument: 'String: directory',
      description: 'The data directory of npm start: its brokers and their ZooKeeper are watched. Default: ./data.',
    },
    {
      name: 'recording',
      argument: 'String: directory',
      repeat: true,
      description: "The directory of one broker's recording (recording.dir). Several times for several brokers.",
    },
    {
      name: 'zookeeper',
      argument: 'String: host:port/chroot',
      description: 'The ZooKeeper to watch. Default: the one of the brokers in --data.',
    },
    { name: 'from-beginning', description: 'Shows first what the recordings hold from before.' },
    { name: 'snapshot', description: "Prints the controller's memory as JSON, and ends." },
  ],
  run,
})
