/** The usage and the help as argparse4j lays them out, but for its justified lines. */
import type { Argument, Command, Parser } from './argparse'

export const HELP: Argument = { name: '--help', short: '-h', help: 'Shows this and exits.', kind: 'flag' }

const WIDTH = 75
/** Where the descriptions begin. */
const COLUMN = 25

function withValue(argument: Argument): string {
  const { name, kind } = argument
  if (kind === 'flag') return name
  const value =
    argument.metavar ??
    (argument.choices === undefined ? name.slice(2).toUpperCase().replaceAll('-', '_') : `{${argument.choices.join(',')}}`)
  return kind === 'list' ? `${name} ${value} [${value} ...]` : `${name} ${value}`
}

/** The words of the usage that stay together. */
function pieces(scope: readonly Argument[]): string[] {
  const single = scope.filter(({ oneOf }) => oneOf === undefined)
  const groups = [...new Set(scope.flatMap(({ oneOf }) => oneOf ?? []))].map((group) =>
    scope.filter(({ oneOf }) => oneOf === group),
  )
  return [
    ...single.map((each) =>
      each.required === true
        ? withValue(each)
        : `[${each.short === undefined || each.longFirst === true ? withValue(each) : each.short}]`,
    ),
    ...groups.flatMap((rivals) =>
      rivals.flatMap((each, index) => [
        ...(index > 0 ? ['|'] : []),
        `${index === 0 ? '(' : ''}${withValue(each)}${index === rivals.length - 1 ? ')' : ''}`,
      ]),
    ),
  ]
}

function wrap(words: readonly string[], indent: number, first: string): string[] {
  const lines: string[] = []
  let line = first
  for (const word of words) {
    const room = line.trim() === '' || line.endsWith(' ') ? word.length : word.length + 1
    if (line.length + room > WIDTH && line.trim() !== '' && line !== first) {
      lines.push(line)
      line = ' '.repeat(indent)
    }
    line += line.endsWith(' ') || line === '' ? word : ` ${word}`
  }
  return [...lines, line]
}

function commandsOf({ namesCommands, commands = [] }: Parser): string {
  return namesCommands === true ? `{${commands.map(({ name }) => name).join(',')}}` : 'COMMAND'
}

/** `usage: ...`, of the parser or of one of its commands; ends with a line's end. */
export function argumentUsage(parser: Parser, command?: Command): string {
  const head = `usage: ${parser.program} `
  const required = parser.arguments.filter((each) => each.required === true || each.oneOf !== undefined)
  const words =
    command === undefined
      ? [...pieces([HELP, ...parser.arguments]), ...(parser.commands === undefined ? [] : [commandsOf(parser), '...'])]
      : [...pieces(required), command.name, ...pieces([HELP, ...command.arguments])]
  return `${wrap(words, head.length, head).join('\n')}\n`
}

function paragraph(text: string, indent: number): string {
  return wrap(text.split(' '), indent, ' '.repeat(indent)).join('\n')
}

function entry(title: string, help: string): string {
  if (help === '') return `  ${title}`
  const lines = wrap(help.split(' '), COLUMN, ' '.repeat(COLUMN))
  if (title.length + 4 > COLUMN) return [`  ${title}`, ...lines].join('\n')
  return [`  ${title}`.padEnd(COLUMN) + lines[0]!.trimStart(), ...lines.slice(1)].join('\n')
}

function argumentEntry(argument: Argument): string {
  const { short } = argument
  const long = withValue(argument)
  const title =
    short === undefined
      ? long
      : argument.longFirst === true
        ? `${long}, ${short}${long.slice(argument.name.length)}`
        : `${short}, ${long}`
  return entry(title, `${argument.help}${argument.fallback === undefined ? '' : ` (default: ${argument.fallback})`}`)
}

/** All there is to say, as `--help` shows it; ends with a line's end. */
export function argumentHelp(parser: Parser, command?: Command): string {
  const scope = [HELP, ...(command ?? parser).arguments]
  const headings = (command ?? parser).headings ?? {}
  const description = (command ?? parser).description
  const blocks = [argumentUsage(parser, command)]
  if (description !== undefined) blocks.push(`${paragraph(description, 0)}\n`)
  blocks.push(['optional arguments:', ...scope.filter(({ heading }) => heading === undefined).map(argumentEntry), ''].join('\n'))
  for (const heading of new Set(scope.flatMap(({ heading: each }) => each ?? []))) {
    const text = headings[heading]
    const title = text === undefined ? [`  ${heading}`] : [`${heading}:`, paragraph(text, 2)]
    blocks.push([...title, '', ...scope.filter((each) => each.heading === heading).map(argumentEntry), ''].join('\n'))
  }
  if (command === undefined && parser.commands !== undefined)
    blocks.push(
      [
        parser.namesCommands === true ? 'positional arguments:' : 'commands:',
        `  ${commandsOf(parser)}`,
        ...parser.commands.map(({ name, help }) => entry(`  ${name}`, help)),
        '',
      ].join('\n'),
    )
  return blocks.join('\n')
}
