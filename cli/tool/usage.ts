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

/** Where a line may end: at blanks, and within a word behind one of - , : . and in front of a letter. */
const PIECES = /(?<= )|(?<=[-,:.])(?=[A-Za-z])/

/** Breaks text into lines of at most `width`; all but the first of a paragraph are indented. What is longer than a line is cut. */
function wrap(text: string, width: number, indent: string): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = []
    const room = (): number => width - (lines.length > 0 ? indent.length : 0)
    const end = (line: string): void => void lines.push((lines.length > 0 ? indent : '') + line.trimEnd())
    let line = ''
    for (const piece of paragraph.split(PIECES)) {
      let rest = piece
      if (line !== '' && (line + rest).trimEnd().length >= room()) {
        end(line)
        line = ''
      }
      while (rest.trimEnd().length >= room()) {
        end(rest.slice(0, room() - 1))
        rest = rest.slice(room() - 1)
      }
      line += rest
    }
    end(line)
    return lines
  })
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
