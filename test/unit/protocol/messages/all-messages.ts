import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Message } from '../../../../protocol/messages/schema'

const folder = join(__dirname, '../../../../protocol/messages')

/** Every message that has a table. */
export const allMessages: Message<unknown>[] = []
for (const file of readdirSync(folder).sort()) {
  for (const value of Object.values(require(join(folder, file)) as Record<string, unknown>)) {
    if (typeof value === 'object' && value !== null && 'compiled' in value) allMessages.push(value as Message<unknown>)
  }
}

export const versionsOf = ({ versions }: Message<unknown>): number[] =>
  Array.from({ length: versions.last - versions.first + 1 }, (_, i) => versions.first + i)
