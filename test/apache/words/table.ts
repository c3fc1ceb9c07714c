/** The form of a file in tools/: the lines that are typed for one tool. */

export interface WordsTable {
  /** `kafka-topics`: the script in bin/. */
  tool: string
  /** The class behind Apache's script. */
  class: string
  /** It ends its JVM by itself, and so gets one of its own. */
  apart?: boolean
  /** Options that ours has beside Kafka's; `--json` need not be named. */
  own?: readonly string[]
  /** Done once in front of the lines, and once for each of `{me}`, with Apache's tools. */
  before?: readonly Step[]
  lines: readonly Line[]
}

/**
 * `{bootstrap}`, `{zookeeper}`, `{dir}` (a folder), `{log}` (the first broker's log directory) and `{me}` (a name for what a
 * line may change) are filled in.
 */
export interface Step {
  class: string
  args: string
  input?: string
}

export interface Line {
  args: string
  /** Standard input. */
  input?: string
  /** Files of `{dir}`, by name. */
  files?: Readonly<Record<string, string>>
  /** Done in front of each of the two runs. */
  before?: readonly Step[]
  /** What is replaced in both answers before they are compared. */
  changes?: readonly (readonly [RegExp, string])[]
  /** The lines of the answer may come in any order. */
  unordered?: boolean
  /** Both look at the same things: what was made for the one is not taken out of what the other says. */
  shared?: boolean
  /** Where the two differ on purpose: what is compared. Default: all three. */
  compare?: readonly ('code' | 'out' | 'err')[]
  /** Differs on purpose, in this way: the line says what ours is, a regular expression on stdout and stderr. */
  ours?: RegExp
}
