import { ZooKeeperSession } from '../../zk-schema/session/session'
import { ZooKeeperError } from '../../zk-schema/session/errors'
import { eventName, failureLine } from './format'
import { readCommands } from './read-commands'
import { sessionCommands } from './session-commands'
import { CommandError, parseWords, splitLine } from './words'
import { writeCommands } from './write-commands'
import type { Command, Terminal } from './command'
import type { Environment } from '../../runtime/ports'
import type { SessionState } from '../../zk-schema/session/session'

const COMMANDS: Readonly<Record<string, Command>> = { ...readCommands, ...writeCommands, ...sessionCommands }

/** What the shell does itself. */
const OWN_COMMANDS: Readonly<Record<string, string>> = {
  close: '',
  connect: 'host:port',
  history: '',
  printwatches: 'on|off',
  quit: '',
  exit: '',
  redo: 'cmdno',
  help: '',
}

const COMMAND_NOT_FOUND = 127
const HISTORY_SHOWN = 10

/** How long a command waits for a server before it says ConnectionLoss. */
const CONNECT_PATIENCE_MS = 5000

const STATE_NAMES: Record<SessionState, string | undefined> = {
  connecting: undefined,
  connected: 'SyncConnected',
  suspended: 'Disconnected',
  expired: 'Expired',
  closed: 'Closed',
}

export interface ShellOptions {
  connect: string
  sessionTimeoutMs: number
  out(line: string): void
  err(line: string): void
}

/** ZooKeeper's shell: one session, and commands on it one after another. */
export class Shell {
  private readonly env: Environment
  private readonly options: ShellOptions
  private connect: string
  private session: ZooKeeperSession
  private printsWatches = true
  private readonly history: string[] = []
  private exiting = false
  private isBusy = false
  /** Called when an event was printed while no command runs: a prompt that stood there has gone. */
  onIdleEvent: () => void = () => {}
  /** Of the last command. */
  exitCode = 0

  constructor(env: Environment, options: ShellOptions) {
    this.env = env
    this.options = options
    this.connect = options.connect
    this.session = this.open()
  }

  /** True after `quit`. */
  get isOver(): boolean {
    return this.exiting
  }

  /** `[zk: 127.0.0.1:2181(CONNECTED) 3] `. */
  get prompt(): string {
    const { state } = this.session
    const shown = state === 'connected' ? 'CONNECTED' : state === 'closed' || state === 'expired' ? 'CLOSED' : 'CONNECTING'
    return `[zk: ${this.connect}(${shown}) ${this.history.length}] `
  }

  /** One line of a dialogue. */
  async executeLine(line: string): Promise<void> {
    if (line === '') return
    const words = splitLine(line)
    await this.execute(words, line)
    this.history.push(words[0] === 'redo' ? (this.history[Number(words[1])] ?? line) : line)
  }

  /** One command in words. Never rejects: what is wrong is said, and in the exit code. */
  async execute(words: readonly string[], line = words.join(' ')): Promise<void> {
    this.isBusy = true
    try {
      await this.run(words, line)
      // `quit` keeps the one of the command before.
      if (!this.exiting) this.exitCode = 0
    } catch (error) {
      this.exitCode = error instanceof CommandError ? error.exitCode : 1
      this.options.err(failureLine(error))
    } finally {
      this.isBusy = false
    }
  }

  /** Ends the session without a word. */
  async close(): Promise<void> {
    this.printsWatches = false
    await this.session.close()
  }

  private async run(words: readonly string[], line: string): Promise<void> {
    const [name] = words
    if (name === undefined) throw this.withUsage('No command entered', 1)
    if (OWN_COMMANDS[name] !== undefined) return this.runOwn(name, words, line)
    const command = COMMANDS[name]
    if (command === undefined) throw this.withUsage(`Command not found: Command not found ${name}`, COMMAND_NOT_FOUND)
    const { state } = this.session
    if (state === 'closed' || state === 'expired') {
      this.options.out('Not connected')
      return
    }
    const parsed = parseWords(words, command.letters)
    if (parsed.args.length < command.least) throw new CommandError(`${name} ${command.usage}`)
    await this.connected(parsed.args[1])
    await command.run(this.terminal(), parsed)
  }

  private async runOwn(name: string, words: readonly string[], line: string): Promise<void> {
    const { out } = this.options
    switch (name) {
      case 'help':
        this.usage()
        return
      case 'quit':
      case 'exit':
        this.exiting = true
        await this.session.close()
        return
      case 'close':
        await this.session.close()
        return
      case 'connect':
        await this.session.close()
        this.connect = words[1] ?? this.connect
        this.session = this.open()
        await this.connected(undefined)
        return
      case 'printwatches':
        if (words[1] === undefined) out(`printwatches is ${this.printsWatches ? 'on' : 'off'}`)
        else this.printsWatches = words[1] === 'on'
        return
      case 'history':
        ;[...this.history, line].forEach((each, index) => {
          if (index >= this.history.length - HISTORY_SHOWN) out(`${index} - ${each}`)
        })
        return
      case 'redo': {
        const again = this.history[Number(words[1])]
        if (again === undefined) throw new CommandError('Command index out of range')
        await this.run(splitLine(again), again)
      }
    }
  }

  private open(): ZooKeeperSession {
    const { sessionTimeoutMs } = this.options
    const session = new ZooKeeperSession(this.env, { connect: this.connect, sessionTimeoutMs })
    session.onState((state) => {
      const name = session.authFailed ? 'AuthFailed' : STATE_NAMES[state]
      if (name !== undefined) this.printEvent(name, 'None', 'null')
    })
    session.onWatchEvent((type, path) => this.printEvent('SyncConnected', eventName(type), path))
    session.start()
    return session
  }

  private printEvent(state: string, type: string, path: string): void {
    if (!this.printsWatches) return
    this.options.out(`\nWATCHER::\n\nWatchedEvent state:${state} type:${type} path:${path}`)
    if (!this.isBusy) this.onIdleEvent()
  }

  /** Resolves when there is a connection; rejects as a request on a lost one would. */
  private connected(path: string | undefined): Promise<void> {
    const { session } = this
    if (session.state === 'connected') return Promise.resolve()
    return new Promise((resolve, reject) => {
      const done = (error?: Error): void => {
        timer.cancel()
        off()
        if (error === undefined) resolve()
        else reject(error)
      }
      const loss = (): ZooKeeperError =>
        new ZooKeeperError(session.state === 'expired' ? 'SESSION_EXPIRED' : 'CONNECTION_LOSS', 'connect', path ?? this.connect)
      const timer = this.env.clock.timer(CONNECT_PATIENCE_MS, () => done(loss()))
      const off = session.onState((state) => {
        if (state === 'connected') done()
        else if (state === 'closed' || state === 'expired') done(loss())
      })
    })
  }

  private terminal(): Terminal {
    const { out, err } = this.options
    return { session: this.session, out, err, tell: (type, path) => this.printEvent('SyncConnected', type, path) }
  }

  private withUsage(message: string, exitCode: number): CommandError {
    this.usage()
    return new CommandError(message, exitCode)
  }

  private usage(): void {
    const { err } = this.options
    err('ZooKeeper -server host:port [-zk-tls-config-file <file>] cmd args')
    const usages = { ...OWN_COMMANDS, ...Object.fromEntries(Object.entries(COMMANDS).map(([name, { usage }]) => [name, usage])) }
    for (const name of Object.keys(usages).sort()) err(`\t${name} ${usages[name]}`)
  }
}
