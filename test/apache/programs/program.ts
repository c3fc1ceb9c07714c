import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { JARS } from '../jars'
import type { ChildProcess } from 'node:child_process'

/** A Java program that is started again and again; all its runs log into one file. */
export class Program {
  readonly name: string
  private readonly args: string[]
  private readonly log: string
  private readonly options: string[]
  private child: ChildProcess | undefined

  /** What comes after the class path: a class or a source file, and its arguments. */
  constructor(dir: string, name: string, args: string[]) {
    this.name = name
    this.args = args
    this.log = join(dir, `${name}.log`)
    writeFileSync(
      `${this.log}4j`,
      [
        'log4j.rootLogger=INFO, F',
        'log4j.appender.F=org.apache.log4j.FileAppender',
        `log4j.appender.F.File=${this.log}`,
        'log4j.appender.F.layout=org.apache.log4j.PatternLayout',
        'log4j.appender.F.layout.ConversionPattern=[%d] %p %m (%c)%n',
      ].join('\n'),
    )
    this.options = ['-Xmx512m', '-XX:TieredStopAtLevel=1', `-Dlog4j.configuration=file:${this.log}4j`, '-cp', `${JARS}/*`]
  }

  get isRunning(): boolean {
    return this.child !== undefined
  }

  start(): void {
    const child = spawn('bash', ['-c', 'exec "$@" >> "$0" 2>&1', `${this.log}.out`, 'java', ...this.options, ...this.args], {
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    // It may have ended before its standard input does.
    child.stdin?.on('error', () => undefined)
    child.once('exit', () => {
      if (this.child === child) this.child = undefined
    })
    this.child = child
  }

  /** Resolves with its exit code, or the signal that ended it. */
  async end(how: 'standard input' | 'SIGTERM' | 'SIGKILL'): Promise<number | string> {
    const { child } = this
    if (child === undefined) throw new Error(`${this.name} has ended by itself; see ${this.log}`)
    const gone = new Promise<number | string>((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal ?? '')))
    if (how === 'standard input') child.stdin?.end()
    else child.kill(how)
    const late = setTimeout(() => child.kill('SIGKILL'), 60_000)
    const ended = await gone
    clearTimeout(late)
    return ended
  }

  kill(): void {
    this.child?.kill('SIGKILL')
  }

  /** The warnings and errors of all its runs. */
  complaints(): string[] {
    if (!existsSync(this.log)) return [`${this.name} has no log`]
    return readFileSync(this.log, 'utf8')
      .split('\n')
      .filter((line) => /^\[[^\]]*\] (WARN|ERROR|FATAL) /.test(line))
      .map((line) => line.replace(/^\[[^\]]*\] /, ''))
  }
}
