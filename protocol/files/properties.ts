/**
 * Java's `.properties` format: `key=value`, `key:value` or `key value`, comments, continuation lines, escapes.
 */

/** The entries in order of appearance; of a repeated key the last value. Throws SyntaxError for a malformed \u escape. */
export function parseProperties(text: string): Record<string, string> {
  const entries: [string, string][] = []
  for (const line of logicalLines(text)) {
    const { key, value } = split(line)
    entries.push([unescape(key), unescape(value)])
  }
  return Object.fromEntries(entries)
}

/** Lines without comments and blank ones, continuations joined. */
function logicalLines(text: string): string[] {
  const result: string[] = []
  let open: string | undefined
  for (const natural of text.split(/\r\n|\n|\r/)) {
    const line = natural.replace(/^[ \t\f]+/, '')
    if (open === undefined && (line === '' || line.startsWith('#') || line.startsWith('!'))) continue
    const joined = (open ?? '') + line
    const backslashes = /\\*$/.exec(joined)?.[0].length ?? 0
    if (backslashes % 2 === 1) {
      open = joined.slice(0, -1)
      continue
    }
    open = undefined
    result.push(joined)
  }
  if (open !== undefined && open !== '') result.push(open)
  return result
}

/** The key ends at the first unescaped blank, `=` or `:`. */
function split(line: string): { key: string; value: string } {
  let end = 0
  while (end < line.length && !' \t\f=:'.includes(line[end] as string)) end += line[end] === '\\' ? 2 : 1
  let start = end
  while (start < line.length && ' \t\f'.includes(line[start] as string)) start++
  if (line[start] === '=' || line[start] === ':') {
    start++
    while (start < line.length && ' \t\f'.includes(line[start] as string)) start++
  }
  return { key: line.slice(0, end), value: line.slice(start) }
}

const controls: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescape(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|(u)|([^]?))/g, (_, hex?: string, badUnicode?: string, other?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    if (badUnicode !== undefined) throw new SyntaxError(`Malformed \\uxxxx encoding in: ${text}`)
    return controls[other as string] ?? (other as string)
  })
}

/**
 * A file of the entries in their order, comments first, as Java's Properties.store writes it (whose date line is for the caller
 * to give: a second comment).
 */
export function formatProperties(entries: Readonly<Record<string, string>>, comments: readonly string[] = []): string {
  const lines = comments.map((comment) => `#${comment}`)
  for (const [key, value] of Object.entries(entries)) lines.push(`${escape(key, true)}=${escape(value, false)}`)
  return lines.map((line) => `${line}\n`).join('')
}

function escape(text: string, isKey: boolean): string {
  let result = ''
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string
    const code = text.charCodeAt(i)
    if (char === ' ') result += isKey || i === 0 ? '\\ ' : ' '
    else if (char === '\t') result += '\\t'
    else if (char === '\n') result += '\\n'
    else if (char === '\r') result += '\\r'
    else if (char === '\f') result += '\\f'
    else if ('\\=:#!'.includes(char)) result += `\\${char}`
    else if (code < 0x20 || code > 0x7e) result += `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`
    else result += char
  }
  return result
}
