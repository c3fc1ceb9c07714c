/**
 * Bad requests, sent raw to a cluster of Apache brokers and to one of ours: the same error code and the same shape of answer.
 *   npm run test:errors [-- part of a case's name ...]
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiByKey } from '../../../protocol/messages/apis'
import { correlationIdOf, decodeResponseBody, encodeRequestFrame } from '../../../protocol/messages/frames'
import { whyNoApache } from '../jars'
import { isFrame } from './case'
import { allCases } from './cases/all'
import { exchange, sized } from './exchange'
import { differences, normal } from './normal'
import { Place } from './place'
import type { Case } from './case'

const CORRELATION_ID = 77

function versionsOf(one: Case): readonly number[] {
  if (isFrame(one)) return [0]
  const { minVersion, maxVersion } = apiByKey(one.api)!
  if (one.versions === 'all') return Array.from({ length: maxVersion - minVersion + 1 }, (_, i) => minVersion + i)
  return one.versions ?? [maxVersion]
}

async function answerOf(one: Case, version: number, place: Place): Promise<unknown> {
  const port = place.port(one.to ?? 'leader')
  if (isFrame(one)) {
    const answer = await exchange(port, sized(one.frame(place)))
    return typeof answer === 'string' ? answer : answer.subarray(4).toString('hex')
  }
  const api = apiByKey(one.api)!
  const frame = Buffer.concat(encodeRequestFrame(api, version, CORRELATION_ID, 'errors', one.body(place, version) as object))
  const answer = await exchange(port, frame)
  if (typeof answer === 'string') return answer
  if (correlationIdOf(answer) !== CORRELATION_ID) return `correlation id ${correlationIdOf(answer)}`
  return normal(decodeResponseBody(api, version, answer), place)
}

async function main(): Promise<number> {
  const why = whyNoApache()
  if (why !== undefined) {
    process.stdout.write(`skipped: ${why}\n`)
    return 0
  }
  const wanted = process.argv.slice(2)
  const dir = mkdtempSync(join(tmpdir(), 'errors-'))
  const port = Number(process.env.ERRORS_PORT ?? 19292)
  const places = [new Place('apache', join(dir, 'apache'), port), new Place('prekraft', join(dir, 'prekraft'), port + 20)] as const
  let equal = 0
  const different: string[] = []
  try {
    for (const place of places) await place.start()
    for (const one of allCases) {
      if (wanted.length > 0 && !wanted.some((word) => one.name.includes(word))) continue
      for (const version of versionsOf(one)) {
        const name = isFrame(one) ? one.name : `${one.name} (${apiByKey(one.api)!.name} v${version})`
        const [apache, ours] = await Promise.all(places.map((place) => answerOf(one, version, place).catch((error: Error) => `not sent: ${error.message}`)))
        const found = one.ours?.test(JSON.stringify(ours)) === true ? [] : differences(apache, ours)
        if (process.env.ERRORS_VERBOSE !== undefined) process.stdout.write(`${name}\n    ${JSON.stringify(apache)}\n`)
        if (found.length === 0) equal++
        else {
          different.push(name)
          process.stdout.write(`DIFFERENT ${name}\n${found.map((line) => `    ${line}\n`).join('')}`)
        }
      }
    }
  } finally {
    for (const place of places) await place.cluster.close()
  }
  process.stdout.write(`${equal} answers equal, ${different.length} different; logs in ${dir}\n`)
  return different.length === 0 ? 0 : 1
}

void main().then(
  (code) => process.exit(code),
  (error: Error) => {
    process.stderr.write(`${error.stack}\n`)
    process.exit(1)
  },
)
