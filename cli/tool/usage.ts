/** How Kafka's tools (by JOpt Simple) lay out their usage: two columns, continuation lines indented by two. */

export interface OptionSpec {
  name: string
  /** What the option takes: `String: topic`, `Integer: # of partitions`. Left out: it takes nothing. */
  argument?: string
  /** The argument may be left out. */
  optionalArgument?: boolean
  description: string
  /** May be given several times. */
  repeat?: boolean
  /** Marked by a star. */
  required?: boolean
}

const WIDTH = 80
const BETWEEN = 2
const INDENT = '  '

/**
 * Where a line may end: at blanks, in front of a parenthesis, and within a word behind one of - , : . and in front of a
 * letter.
 */
const PIECES = /(?<= )|(?<=\w)(?=\()|(?<=[-,:.])(?=[A-Za-z])/

/** Breaks text into lines; all but the first of a paragraph are indented. What is longer than a line is cut. */
function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = []
    const room = (): number => width - (lines.length > 0 ? INDENT.length : 0)
    const end = (line: string): void => void lines.push((lines.length > 0 ? INDENT : '') + line.trimEnd())
    let line = ''
    for (const piece of paragraph.split(PIECES)) {
      let rest = piece
      // The blank behind a word counts.
      if (line !== '' && (line + rest).length > room()) {
        end(line)
        line = ''
      }
      while (rest.trimEnd().length > room()) {
        const length = room()
        end(rest.slice(0, length))
        rest = rest.slice(length)
      }
      line += rest
    }
    end(line)
    return lines
  })
}

function widest(texts: Iterable<string>): number {
  let most = 0
  for (const text of texts) most = Math.max(most, text.length)
  return most
}

export function usageOf(options: readonly OptionSpec[]): string {
  const rows = [...options]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, argument, optionalArgument, description, required }) => {
      const shown = argument === undefined ? `--${name}` : `--${name} ${optionalArgument ? `[${argument}]` : `<${argument}>`}`
      return { shown: required === true ? `* ${shown}` : shown, description }
    })
  // The left column takes what its widest option needs, up to a half; the right one the rest.
  const optionWidth = Math.min(widest(rows.map(({ shown }) => shown)), (WIDTH - BETWEEN) / 2)
  const descriptionWidth = WIDTH - BETWEEN - optionWidth
  const title = options.some(({ required }) => required === true) ? 'Option (* = required)' : 'Option'
  const lines: [option: string, description: string][] = [
    [title, 'Description'],
    ['-'.repeat(title.length), '-----------'],
  ]
  for (const { shown, description } of rows) {
    const [left, right] = [wrap(shown, optionWidth), wrap(description, descriptionWidth)]
    for (let i = 0; i < Math.max(left.length, right.length); i++) lines.push([left[i] ?? '', right[i] ?? ''])
  }
  const leftWidth = widest(lines.map(([option]) => option))
  const rightWidth = widest(lines.map(([, description]) => description))
  return lines.map(([option, description]) => `${option.padEnd(leftWidth + BETWEEN)}${description.padEnd(rightWidth)}`).join('\n')
}
