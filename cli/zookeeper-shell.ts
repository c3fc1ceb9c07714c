/** ZooKeeper's shell: `zookeeper-shell.sh host:port[/chroot] [-timeout MS] [command...]`. */
import { createInterface } from 'node:readline'
import { realEnvironment } from '../runtime/real'
import { parseConnectString } from '../zk-schema/session/connect-string'
import { Shell } from './zookeeper-shell/shell'

const USAGE = 'USAGE: zookeeper-shell.sh zookeeper_host:port[/path] [-timeout ms] [args...]'
const DEFAULT_TIMEOUT_MS = 30_000

interface Arguments {
  connect: string
  sessionTimeoutMs: number
  command: string[]
}

/** Options up to the first word that is none: that is the command. Throws an Error for the console. */
function parseArguments(argv: readonly string[]): Arguments {
  let connect = argv[0]?.startsWith('-') === false ? argv[0] : undefined
  let sessionTimeoutMs = DEFAULT_TIMEOUT_MS
  let at = connect === undefined ? 0 : 1
  for (; argv[at]?.startsWith('-') === true; at++) {
    const option = argv[at]!
    if (option === '-zk-tls-config-file') throw new Error('TLS to ZooKeeper is not supported by this version.')
    if (option !== '-server' && option !== '-timeout' && option !== '-client-configuration') continue
    const value = argv[++at]
    if (value === undefined) throw new Error(`Error: no argument found for option ${option}`)
    if (option === '-server') connect = value
    if (option === '-timeout') {
      if (!/^\d+$/.test(value)) throw new Error(`-timeout ${value}: expected milliseconds.`)
      sessionTimeoutMs = Number(value)
    }
  }
  if (connect === undefined) throw new Error(USAGE)
  parseConnectString(connect)
  return { connect, sessionTimeoutMs, command: argv.slice(at) }
}

async function main(): Promise<void> {
  let parsed: Arguments
  try {
    parsed = parseArguments(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    process.exitCode = 1
    return
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      process.exit(0)
    })
  }
  const { connect, sessionTimeoutMs, command } = parsed
  const out = (line: string): void => void process.stdout.write(`${line}\n`)
  out(`Connecting to ${connect}`)
  const shell = new Shell(realEnvironment(), { connect, sessionTimeoutMs, out, err: (line) => process.stderr.write(`${line}\n`) })
  if (command.length > 0) await shell.execute(command)
  else await converse(shell, out)
  await shell.close()
  process.exitCode = shell.exitCode
}

/** Reads commands until the end of the input, or `quit`. */
async function converse(shell: Shell, out: (line: string) => void): Promise<void> {
  out('Welcome to ZooKeeper!')
  const isTerminal = process.stdin.isTTY
  if (!isTerminal) out('JLine support is disabled')
  const lines = createInterface({ input: process.stdin, terminal: isTerminal, ...(isTerminal ? { output: process.stdout } : {}) })
  const prompt = (): void => {
    if (!isTerminal) return
    lines.setPrompt(shell.prompt)
    lines.prompt()
  }
  shell.onIdleEvent = prompt
  prompt()
  for await (const line of lines) {
    await shell.executeLine(line.trim())
    if (shell.isOver) break
    prompt()
  }
  lines.close()
}

void main()
