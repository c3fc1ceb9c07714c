import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { APACHE_NAME, hasApache, javaVersion } from './apache-kafka'

export interface RowOptions {
  unit: string
  /** Of a rate more is better, of everything else less. */
  isRate?: boolean
  /** How many times better than Apache Kafka ours should be. */
  expected?: number
}

interface Row extends RowOptions {
  what: string
  samples: Map<string, number[]>
}

function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function number(value: number): string {
  if (value === 0) return '0'
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return value.toFixed(digits).replace(/\B(?=(\d{3})+$)/g, digits === 0 ? ',' : '')
}

/** What was measured, in the order in which it was named first; the median where there are several samples. */
export class Table {
  private readonly rows = new Map<string, Row>()

  /** `name`: the subject's. */
  add(name: string, what: string, value: number, options: RowOptions): void {
    let row = this.rows.get(what)
    if (row === undefined) this.rows.set(what, (row = { what, samples: new Map(), ...options }))
    row.samples.set(name, [...(row.samples.get(name) ?? []), value])
    process.stderr.write(`${name}: ${what}: ${number(value)} ${options.unit}\n`)
  }

  /** In Markdown. */
  toString(): string {
    const lines = [...this.rows.values()].map((row) => `| ${this.cells(row).join(' | ')} |`)
    const head = ['', 'prekraft', APACHE_NAME, 'times better', 'expected']
    return [`| ${head.join(' | ')} |`, '|---|---:|---:|---:|---|', ...lines].join('\n')
  }

  private cells({ what, unit, isRate, expected, samples }: Row): string[] {
    const [ours, theirs] = ['prekraft', APACHE_NAME].map((name) => samples.get(name)).map((found) => found && median(found))
    const shown = [ours, theirs].map((value) => (value === undefined ? '' : number(value)))
    const ratio = ours === undefined || theirs === undefined ? undefined : isRate === true ? ours / theirs : theirs / ours
    const wanted = expected === undefined ? '' : expected === 1 ? 'no worse' : `${expected} times`
    const verdict = ratio === undefined || expected === undefined ? '' : ratio >= expected ? ': met' : ': **not met**'
    return [`${what}, ${unit}`, ...shown, ratio === undefined ? '' : ratio.toFixed(1), `${wanted}${verdict}`]
  }
}

/** The machine, in a sentence; the load by others makes every figure worse. */
export function machine(): string {
  const model = cpus()[0]!.model.trim()
  const java = hasApache() ? `, ${javaVersion()}` : ''
  const tcp = readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim()
  const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GiB`
  return `${cpus().length} cores (${model}), ${memory}, Linux ${release()} (TCP ${tcp}), Node ${process.version}${java}`
}

export function load(): string {
  return loadavg()[0]!.toFixed(1)
}
