import fc from 'fast-check'
import { Merger } from '../../../../cli/watch/merger'
import type { Recorded } from '../../../../recording/events'

const event = (process: string, sequence: number, wallUs: number): Recorded => ({
  process,
  sequence,
  wallUs,
  monoMs: 0,
  event: { kind: 'life', what: 'x' },
})
const nameOf = ({ process, sequence }: Recorded) => `${process}${sequence}`

test('an event waits for earlier ones of others, and no longer', () => {
  const told: string[] = []
  const merger = new Merger(100, (recorded) => told.push(nameOf(recorded)))
  merger.add(event('b', 1, 2000), 0)
  merger.add(event('a', 1, 1000), 50)
  merger.flush(99)
  expect(told).toEqual([])
  merger.flush(100)
  expect(told).toEqual(['a1', 'b1'])
  merger.add(event('a', 2, 1500), 120)
  merger.flush(219)
  merger.drain()
  expect(told).toEqual(['a1', 'b1', 'a2'])
})

test('one time: by process; one process: as it came, even if its clock goes back', () => {
  const told: string[] = []
  const merger = new Merger(0, (recorded) => told.push(nameOf(recorded)))
  for (const each of [event('b', 1, 5), event('a', 1, 9), event('a', 2, 5), event('c', 1, 9), event('a', 3, 10)])
    merger.add(each, 0)
  merger.flush(0)
  expect(told).toEqual(['b1', 'a1', 'a2', 'c1', 'a3'])
})

test('whatever comes in time is told once and in order', () => {
  const arrival = fc.record({
    process: fc.constantFrom('a', 'b', 'c'),
    wallMs: fc.integer({ min: 0, max: 1000 }),
    delayMs: fc.integer({ min: 0, max: 49 }),
  })
  fc.assert(
    fc.property(fc.array(arrival, { maxLength: 60 }), (arrivals) => {
      const sequences = new Map<string, number>()
      const events = [...arrivals]
        .sort((a, b) => a.wallMs - b.wallMs)
        .map(({ process, wallMs, delayMs }) => {
          const sequence = (sequences.get(process) ?? 0) + 1
          sequences.set(process, sequence)
          return { recorded: event(process, sequence, wallMs * 1000), atMs: wallMs + delayMs }
        })
        // A process's events come in order.
        .map((each, _, all) => ({
          ...each,
          atMs: Math.max(
            ...all
              .filter(
                (other) => other.recorded.process === each.recorded.process && other.recorded.sequence <= each.recorded.sequence,
              )
              .map(({ atMs }) => atMs),
          ),
        }))
        .sort((a, b) => a.atMs - b.atMs)
      const told: Recorded[] = []
      const merger = new Merger(1100, (recorded) => told.push(recorded))
      for (const { recorded, atMs } of events) {
        merger.add(recorded, atMs)
        merger.flush(atMs)
      }
      merger.drain()
      expect(told).toHaveLength(events.length)
      const times = told.map(({ wallUs }) => wallUs)
      expect(times).toEqual([...times].sort((a, b) => a - b))
    }),
  )
})
