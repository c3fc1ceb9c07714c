/** How Kafka's tools (by JOpt Simple) lay out their usage: two columns of 40, continuation lines indented by two. */

export interface OptionSpec {
  name: string
  /** What the option takes: `String: topic`, `Integer: # of partitions`. Left out: it takes nothing. */
  argument?: string
  /** The argument may be left out. */
  optionalArgument?: boolean
  description: string
  /** May be given several times. */
  repeat?: boolean
}

const WIDTH = 40

/** Breaks text into lines of at most `width`, at blanks or after hyphens; what is longer than a line is cut. */
function wrap(text: string, width: number, indent: string): string[] {
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let line = ''
    for (const word of paragraph.split(' ')) {
      let rest = word
      const room = (): number => width - (lines.length > 0 ? indent.length : 0)
      while (rest !== '') {
        const joined = line === '' ? rest : `${line} ${rest}`
        if (joined.length < room()) {
          line = joined
          rest = ''
        } else if (line !== '') {
          lines.push((lines.length > 0 ? indent : '') + line)
          line = ''
        } else {
          lines.push((lines.length > 0 ? indent : '') + rest.slice(0, room() - 1))
          rest = rest.slice(room() - 1)
        }
      }
    }
    lines.push((lines.length > 0 ? indent : '') + line)
  }
  return lines
}

export function usageOf(options: readonly OptionSpec[]): string {
  const rows = [...options].sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ name, argument, optionalArgument, description }) => {
    const shown = argument === undefined ? `--${name}` : `--${name} ${optionalArgument ? `[${argument}]` : `<${argument}>`}`
    return { left: wrap(shown, WIDTH, '  '), right: wrap(description, WIDTH, '  ') }
  })
  const lines = [`${'Option'.padEnd(WIDTH)} ${'Description'.padEnd(WIDTH)}`, `${'------'.padEnd(WIDTH)} ${'-----------'.padEnd(WIDTH)}`]
  for (const { left, right } of rows) {
    for (let i = 0; i < Math.max(left.length, right.length); i++) {
      lines.push(`${(left[i] ?? '').padEnd(WIDTH)} ${(right[i] ?? '').padEnd(WIDTH)}`)
    }
  }
  return lines.join('\n')
}
