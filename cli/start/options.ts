export interface StartOptions {
  brokers: number
  firstId: number
  /** Of the first broker, the others follow; 0: any free ones. */
  port: number
  zookeeperPort: number
  dataDir: string
  /** True where a temporary directory takes the place of `dataDir`. */
  isTemporary: boolean
  /** An existing ZooKeeper; then none is started. */
  zookeeper: string | undefined
  overrides: Record<string, string>
  /** Log directories of each broker; one, if left out. */
  logDirs?: number | undefined
  /** Its processes end when ours does, however it ends. By default with `isTemporary` or `exec`. */
  isTied?: boolean | undefined
  /** Run this command beside the cluster, and stop with it. */
  exec: string | undefined
}

/** What was typed cannot be carried out; the message is for the console. */
export class StartUsageError extends Error {
  override readonly name = 'StartUsageError'
}

export const USAGE = `Starts a ZooKeeper and brokers on this machine.

  --brokers N            how many brokers (3)
  --first-id N           the id of the first one (0)
  --port P               the port of the first one, the others follow; 0 for any free ones (9092)
  --zookeeper-port P     the port of ZooKeeper; 0 for any free one (2181)
  --data DIR             where everything is kept (./data)
  --zookeeper CONNECT    use an existing ZooKeeper: host:port,host:port/chroot
  --override key=value   for every broker; repeatable
  --exec COMMAND         run a command with KAFKA_BOOTSTRAP_SERVERS and ZOOKEEPER_CONNECT set, on free ports and throw-away data
                         unless told otherwise; then stop, with the command's exit code`

const WITH_VALUE = ['brokers', 'first-id', 'port', 'zookeeper-port', 'data', 'zookeeper', 'override', 'exec'] as const
type Name = (typeof WITH_VALUE)[number]

/** Throws StartUsageError. */
export function parseStartOptions(args: readonly string[]): StartOptions {
  const values = new Map<Name, string[]>()
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    const match = /^--([a-z-]+)(?:=(.*))?$/s.exec(arg)
    const name = WITH_VALUE.find((each) => each === match?.[1])
    if (name === undefined) throw new StartUsageError(`${arg} is not an option.\n\n${USAGE}`)
    const value = match?.[2] ?? args[++i]
    if (value === undefined) throw new StartUsageError(`--${name} needs a value.\n\n${USAGE}`)
    values.set(name, [...(values.get(name) ?? []), value])
  }
  const last = (name: Name): string | undefined => values.get(name)?.at(-1)
  const whole = (name: Name, fallback: number, least: number, most: number): number => {
    const text = last(name)
    if (text === undefined) return fallback
    if (!/^\d{1,10}$/.test(text) || Number(text) < least || Number(text) > most) {
      throw new StartUsageError(`--${name} ${text}: expected a whole number from ${least} to ${most}.`)
    }
    return Number(text)
  }
  const exec = last('exec')
  const zookeeper = last('zookeeper')
  if (zookeeper !== undefined && values.has('zookeeper-port')) {
    throw new StartUsageError('--zookeeper and --zookeeper-port exclude each other: an existing ZooKeeper has its port already.')
  }
  const brokers = whole('brokers', 3, 1, 100)
  const port = whole('port', exec === undefined ? 9092 : 0, 0, 65535)
  if (port > 0 && port + brokers - 1 > 65535)
    throw new StartUsageError(`--port ${port}: there are not ${brokers} ports from there on.`)
  return {
    brokers,
    firstId: whole('first-id', 0, 0, 1000),
    port,
    zookeeperPort: whole('zookeeper-port', exec === undefined ? 2181 : 0, 0, 65535),
    dataDir: last('data') ?? 'data',
    isTemporary: exec !== undefined && !values.has('data'),
    zookeeper,
    overrides: Object.fromEntries((values.get('override') ?? []).map(keyAndValue)),
    exec,
  }
}

function keyAndValue(pair: string): [string, string] {
  const equals = pair.indexOf('=')
  if (equals <= 0) throw new StartUsageError(`--override ${pair}: expected key=value.`)
  return [pair.slice(0, equals), pair.slice(equals + 1)]
}
