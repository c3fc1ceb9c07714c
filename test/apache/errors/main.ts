/**
 * Bad requests, sent raw to a cluster of Apache brokers and to one of ours: the same error code and the same shape of answer.
 *   npm run test:errors [-- part of a case's name ...]
 */
import { join } from 'node:path'
import { apiByKey } from '../../../protocol/messages/apis'
import { correlationIdOf, decodeResponseBody, encodeRequestFrame } from '../../../protocol/messages/frames'
import { besideApache, freePorts } from '../frame'
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
    const answer = await exchange(port, sized(one.frame(place), one.size))
    return typeof answer === 'string' ? answer : answer.subarray(4).toString('hex')
  }
  const api = apiByKey(one.api)!
  const frame = Buffer.concat(encodeRequestFrame(api, version, CORRELATION_ID, 'errors', one.body(place, version) as object))
  const answer = await exchange(port, frame)
  if (typeof answer === 'string') return answer
  if (correlationIdOf(answer) !== CORRELATION_ID) return `correlation id ${correlationIdOf(answer)}`
  return normal(decodeResponseBody(api, version, answer), place)
}

/** What is wrong; nothing if the two are the same, or differ as they shall. */
function compare(one: Case, apache: unknown, ours: unknown): string[] {
  const broken = [apache, ours].filter((each) => each instanceof Error)
  if (broken.length > 0) return broken.map(({ message }) => `cannot be sent or read: ${message}`)
  const found = differences(apache, ours)
  if (one.ours === undefined) return found
  if (found.length === 0) return ['it differs no more']
  return one.ours.test(JSON.stringify(ours)) ? [] : found
}

besideApache('errors', async ({ dir, args: wanted, atEnd }) => {
  const places = await Promise.all(
    (['apache', 'prekraft'] as const).map(async (kind) => new Place(kind, join(dir, kind), await freePorts(3))),
  )
  atEnd(async () => {
    for (const place of places) await place.cluster.close()
  })
  let equal = 0
  const different: string[] = []
  for (const place of places) await place.start()
  for (const one of allCases) {
    if (wanted.length > 0 && !wanted.some((word) => one.name.includes(word))) continue
    for (const version of versionsOf(one)) {
      const name = isFrame(one) ? one.name : `${one.name} (${apiByKey(one.api)!.name} v${version})`
      const [apache, ours] = await Promise.all(places.map((place) => answerOf(one, version, place).catch((error: Error) => error)))
      const found = compare(one, apache, ours)
      if (process.env.ERRORS_VERBOSE !== undefined) process.stdout.write(`${name}\n    ${JSON.stringify(apache)}\n`)
      if (found.length === 0) equal++
      else {
        different.push(name)
        process.stdout.write(`DIFFERENT ${name}\n${found.map((line) => `    ${line}\n`).join('')}`)
      }
    }
  }
  process.stdout.write(`${equal} answers equal, ${different.length} different; logs in ${dir}\n`)
  return different.length === 0 ? 0 : 1
})
