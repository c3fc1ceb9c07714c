/** A command that cannot be carried out as it was typed; the message is the whole line for the console. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: number

  constructor(message: string, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

/** A line into words, as ZooKeeper's shell does it: blanks part them, quotes hold them together. */
export function splitLine(line: string): string[] {
  return [...line.matchAll(/\s*([^"'\s]\S*|"[^"]*"|'[^']*')\s*/g)].map(([, word]) => {
    const quoted = /^(["'])(.*)\1$/s.exec(word!)
    return quoted === null ? word! : quoted[2]!
  })
}

/** Options by letter; false where the option takes no value. */
export type OptionLetters = Readonly<Record<string, boolean>>

export interface ParsedWords {
  has(letter: string): boolean
  value(letter: string): string | undefined
  /** The words that are no options. */
  args: string[]
}

/** Commons CLI's rules: options anywhere, `-v 3`, `-v3`, `-v=3`, `-sw` for `-s -w`. Throws CommandError in its words. */
export function parseWords(words: readonly string[], letters: OptionLetters): ParsedWords {
  const found = new Map<string, string>()
  const args: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (word === '--') {
      args.push(...words.slice(i + 1))
      break
    }
    if (!isOption(word, letters)) {
      args.push(word)
      continue
    }
    const unknown = (): CommandError =>
      new CommandError(`org.apache.commons.cli.UnrecognizedOptionException: Unrecognized option: ${word}`)
    for (let at = 1; at < word.length; at++) {
      const letter = word[at]!
      const takesValue = letters[letter]
      if (takesValue === undefined) throw unknown()
      if (!takesValue) {
        found.set(letter, '')
        continue
      }
      const attached = word.slice(at + 1).replace(/^=/, '')
      const next = words[i + 1]
      if (attached !== '') found.set(letter, attached)
      else if (next !== undefined && !isOption(next, letters)) {
        found.set(letter, next)
        i++
      } else throw new CommandError(`org.apache.commons.cli.MissingArgumentException: Missing argument for option: ${letter}`)
      break
    }
  }
  return { has: (letter) => found.has(letter), value: (letter) => found.get(letter), args }
}

/** A negative number is none. */
function isOption(word: string, letters: OptionLetters): boolean {
  return word.length > 1 && word.startsWith('-') && (letters[word[1]!] !== undefined || !/^-[\d.]+$/.test(word))
}

/** A whole number, or the command's complaint. */
export function wholeNumber(text: string | undefined, fallback: number, complaint: string): number {
  if (text === undefined) return fallback
  if (!/^[-+]?\d+$/.test(text)) throw new CommandError(complaint)
  return Number(text)
}

const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/

/** Throws what PathUtils says of a path that is none. */
export function checkPath(path: string): string {
  if (path === '') throw new CommandError('Path length must be > 0')
  if (!path.startsWith('/')) throw new CommandError('Path must start with / character')
  if (path.length > 1 && path.endsWith('/')) throw new CommandError('Path must not end with / character')
  const fault = pathFault(path)
  if (fault !== undefined) throw new CommandError(`Invalid path string "${path}" caused by ${fault}`)
  return path
}

function pathFault(path: string): string | undefined {
  const control = FORBIDDEN.exec(path)?.index ?? Infinity
  const empty = path.indexOf('//')
  const relative = /\/(\.\.?)(?=\/|$)/.exec(path)
  const at = (found: RegExpExecArray): number => found.index + found[1]!.length
  const faults: [number, string][] = [
    [empty < 0 ? Infinity : empty + 1, 'empty node name specified'],
    [relative === null ? Infinity : at(relative), 'relative paths not allowed'],
    [control, path[control] === '\0' ? 'null character not allowed' : 'invalid character'],
  ]
  const [where, what] = faults.sort(([a], [b]) => a - b)[0]!
  return where === Infinity ? undefined : `${what} @${where}`
}
