/**
 * The text form that Kafka's checkpoint files share: a line with version 0, a line with the number of entries, a line for each.
 */

/** A file whose content is not what it should be. */
export class FileFormatError extends Error {
  override name = 'FileFormatError'
  readonly code = 'FILE_FORMAT'
}

const VERSION = 0

export function formatCheckpoint(lines: readonly string[]): string {
  return `${VERSION}\n${lines.length}\n${lines.map((line) => `${line}\n`).join('')}`
}

/** Parses each entry of `columns` words. An empty file has no entries. */
export function parseCheckpoint<Entry>(text: string, columns: number, parse: (words: string[]) => Entry): Entry[] {
  if (text === '') return []
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  const version = parseWholeNumber(lines[0] ?? '')
  if (version !== VERSION) throw new FileFormatError(`Unrecognized version of the checkpoint file: ${version}`)
  if (lines[1] === undefined) throw new FileFormatError('The checkpoint file ends before the number of entries')
  const count = parseWholeNumber(lines[1])
  const entries = lines.slice(2)
  if (entries.length !== count) {
    throw new FileFormatError(`Expected ${count} entries in the checkpoint file, but found ${entries.length}`)
  }
  return entries.map((line) => {
    const words = line.trim().split(/\s+/)
    if (words.length !== columns) throw new FileFormatError(`Malformed line in the checkpoint file: ${line}`)
    return parse(words)
  })
}

/** A decimal number of up to 64 bits that a number holds exactly, or Long.MAX. */
export function parseWholeNumber(text: string): number {
  if (!/^-?\d{1,19}$/.test(text)) throw new FileFormatError(`Not a number in the checkpoint file: ${text}`)
  return Number(text)
}
