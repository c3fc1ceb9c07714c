/** Apache Kafka's tools, in one JVM. */
import { execFile, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { JARS } from '../jars'
import type { ChildProcess } from 'node:child_process'

export interface Output {
  code: number
  out: string
  err: string
}

export interface Command {
  /** The words behind the name. */
  args: readonly string[]
  input: string
  timeoutMs: number
}

/** A code of -1 stands for a signal: it took too long. */
export function runProgram(file: string, args: readonly string[], input: string, timeoutMs: number): Promise<Output> {
  return new Promise((done) => {
    const child = execFile(file, args, { timeout: timeoutMs, maxBuffer: 1 << 26 }, (error, out, err) =>
      done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, out, err }),
    )
    child.stdin!.on('error', () => {})
    child.stdin!.end(input)
  })
}

/** One command at a time. */
export class ApacheTools {
  private readonly child: ChildProcess
  private readonly folder: string
  private readonly options: readonly string[]
  private answer: ((line: string) => void) | undefined
  private ended: Error | undefined

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'words-log4j-'))
    const log4j = join(this.folder, 'log4j.properties')
    // As Kafka's tools-log4j.properties; `follow` because System.err is another one for each command.
    writeFileSync(
      log4j,
      [
        'log4j.rootLogger=WARN, stderr',
        'log4j.appender.stderr=org.apache.log4j.ConsoleAppender',
        'log4j.appender.stderr.follow=true',
        'log4j.appender.stderr.layout=org.apache.log4j.PatternLayout',
        'log4j.appender.stderr.layout.ConversionPattern=[%d] %p %m (%c)%n',
        'log4j.appender.stderr.Target=System.err',
      ].join('\n'),
    )
    this.options = ['-Xmx512m', `-Dlog4j.configuration=file:${log4j}`, '-cp', `${JARS}/*`]
    this.child = spawn('java', [...this.options, join(__dirname, 'Words.java')], { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.answer?.(line))
    this.child.on('exit', (code) => {
      this.ended = new Error(`the JVM of Apache's tools has ended with ${code ?? 'a signal'}`)
      this.answer?.('')
    })
  }

  async run(name: string, { args, input, timeoutMs }: Command): Promise<Output> {
    const line = await new Promise<string>((resolve) => {
      this.answer = resolve
      if (this.ended !== undefined) resolve('')
      else this.child.stdin!.write(`${JSON.stringify({ class: name, args, input, timeoutMs })}\n`)
    })
    if (this.ended !== undefined) throw this.ended
    return JSON.parse(line) as Output
  }

  /** In a JVM of its own. */
  runApart(name: string, { args, input, timeoutMs }: Command): Promise<Output> {
    return runProgram('java', [...this.options, name, ...args], input, timeoutMs)
  }

  close(): void {
    this.child.kill('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }
}
