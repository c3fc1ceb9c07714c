import { kindOf } from './compare'
import type { Comparison } from './compare'

const MOST_SHOWN = Number(process.env.FILES_SHOWN ?? 6)

/** One line per case, and below it what differs. */
export class Report {
  cases = 0
  different = 0

  files(name: string, { compared, found, intended }: Comparison): void {
    const counts = [...compared].sort().map(([kind, count]) => {
      const wrong = found.filter(({ path }) => kindOf(path) === kind).length
      return wrong === 0 ? `${count} ${kind}` : `${wrong} of ${count} ${kind} DIFFER`
    })
    const reasons = [...intended].map(([reason, count]) => `; ${count} differ on purpose: ${reason}`)
    this.line(`${name}: ${counts.join(', ')}${reasons.join('')}`, found.map(({ path, what }) => `${path}: ${what}`))
  }

  line(name: string, differences: readonly string[]): void {
    this.cases++
    if (differences.length > 0) this.different++
    process.stdout.write(`${differences.length === 0 ? 'ok       ' : 'different'} ${name}\n`)
    for (const line of differences.slice(0, MOST_SHOWN)) process.stdout.write(`    ${line}\n`)
    if (differences.length > MOST_SHOWN) process.stdout.write(`    and ${differences.length - MOST_SHOWN} more\n`)
  }
}
