import type { ZooKeeperSession } from '../../zk-schema/session/session'
import type { OptionLetters, ParsedWords } from './words'

/** Where a command acts and speaks. */
export interface Terminal {
  session: ZooKeeperSession
  out(line: string): void
  err(line: string): void
  /** Prints an event as if the server had sent it. */
  tell(type: string, path: string): void
}

export interface Command {
  /** What stands behind its name in the usage. */
  usage: string
  letters: OptionLetters
  /** Words that must be there, the command's name included; otherwise its usage is the complaint. */
  least: number
  run(terminal: Terminal, words: ParsedWords): Promise<void>
}
