import * as fc from 'fast-check'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { decode, encode } from '../../../../protocol/messages/codec'
import { allMessages, versionsOf } from './all-messages'
import { arbitraryOf } from './arbitrary-message'
import type { Message } from '../../../../protocol/messages/schema'

/**
 * Beside Kafka's own codec: KAFKA_JARS=<folder with the jars of kafka-clients and both coordinators> npx jest apache-oracle.
 * Random instances of every version go through Java and must come back byte by byte, also when they are written in another
 * version than they were read in: that shows defaults, ignorable fields and refusals.
 */
const jars = process.env['KAFKA_JARS']
const run = jars === undefined ? test.skip : test

interface Case {
  message: Message<unknown>
  read: number
  write: number
  bytes: Buffer | undefined
}

function java(cases: Case[]): string[] {
  const input = cases.map(
    ({ message, read, write, bytes }) => `${message.name} ${read} ${write} ${bytes?.toString('hex') ?? '-'}\n`,
  )
  const options = { input: input.join(''), encoding: 'utf8' as const, maxBuffer: 1 << 30 }
  return execFileSync('java', ['-cp', `${jars}/*`, join(__dirname, 'RoundTrip.java')], options)
    .trim()
    .split('\n')
}

function ours({ message, read, write, bytes }: Case): string {
  try {
    const value = bytes === undefined ? {} : decode(message, read, bytes)
    return encode(message, write, value as never).toString('hex')
  } catch {
    return '!'
  }
}

function compare(cases: Case[]): void {
  const answers = java(cases)
  expect(answers.length).toBe(cases.length)
  const differences = cases.flatMap((each, i) => {
    const theirs = (answers[i] as string).startsWith('!') ? '!' : answers[i]
    const mine = ours(each)
    return theirs === mine ? [] : [{ name: each.message.name, read: each.read, write: each.write, mine, theirs: answers[i] }]
  })
  expect(differences.slice(0, 10)).toEqual([])
}

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)

run(
  `random instances of every version, seed ${seed} (needs KAFKA_JARS)`,
  () => {
    compare(
      allMessages.flatMap((message) =>
        versionsOf(message).flatMap((version) =>
          fc
            .sample(arbitraryOf(message, version), { numRuns: 40, seed: seed + version })
            .map((value) => ({ message, read: version, write: version, bytes: encode(message, version, value as never) })),
        ),
      ),
    )
  },
  300_000,
)

run(
  `instances written in another version, seed ${seed} (needs KAFKA_JARS)`,
  () => {
    compare(
      allMessages.flatMap((message) =>
        versionsOf(message).flatMap((read) =>
          fc
            .sample(arbitraryOf(message, read), { numRuns: 4, seed: seed + read })
            .flatMap((value) =>
              versionsOf(message).map((write) => ({ message, read, write, bytes: encode(message, read, value as never) })),
            ),
        ),
      ),
    )
  },
  300_000,
)

run(
  'instances with nothing set (needs KAFKA_JARS)',
  () => {
    compare(
      allMessages.flatMap((message) =>
        versionsOf(message).map((version) => ({ message, read: version, write: version, bytes: undefined })),
      ),
    )
  },
  300_000,
)
