import { decidePast } from '../../../controller/past'
import type { PastFacts, ReplicaAnswer } from '../../../controller/past'

const replicas = [0, 1, 2]

function facts(witnesses: PastFacts['witnesses'], answers: [number, ReplicaAnswer | 'none'][]): PastFacts {
  return { replicas, witnesses, answers: new Map(answers) }
}

function answer(leaderEpoch: number, endOffset = 0, leads = false): ReplicaAnswer {
  return { leaderEpoch, endOffset, leads }
}

test('what nobody knows is new', () => {
  expect(decidePast(facts([], []))).toEqual({ kind: 'new' })
  expect(decidePast(facts([], [[0, 'none'], [1, 'none']]))).toEqual({ kind: 'new' })
})

test('the leader of the youngest epoch goes on, alone at first: others may have left the ISR unseen', () => {
  const past = decidePast(facts([{ leader: 1, leaderEpoch: 4, isr: [0, 1, 2] }], [[0, answer(4, 9)], [1, answer(4, 9, true)]]))
  expect(past).toMatchObject({ kind: 'known', state: { leader: -1, leaderEpoch: 4, isr: [1] } })
})

test('a leader of an older epoch does not', () => {
  const witnesses = [{ leader: 1, leaderEpoch: 4, isr: [0, 1, 2] }]
  expect(decidePast(facts(witnesses, [[0, answer(5)], [1, answer(4, 99, true)], [2, answer(5)]]))).toMatchObject({
    kind: 'known', state: { leaderEpoch: 5, isr: [0, 2] },
  })
})

test('without the leader: the ISR of the newest metadata, and what brokers that differ have in common', () => {
  const witnesses = [
    { leader: 0, leaderEpoch: 4, isr: [0, 1, 2] }, { leader: 0, leaderEpoch: 4, isr: [0, 2] }, { leader: 1, leaderEpoch: 3, isr: [1] },
  ]
  expect(decidePast(facts(witnesses, [[1, answer(4)], [2, answer(4)]]))).toMatchObject({ kind: 'known', state: { leaderEpoch: 4, isr: [0, 2] } })
  // Nobody of them lives or answers: then nobody is elected, unless uncleanly.
  expect(decidePast(facts(witnesses, []))).toMatchObject({ kind: 'known', state: { isr: [0, 2] } })
})

test('all restarted: nobody before each replica has told how far its log goes, then the longest of the youngest epoch', () => {
  const some: [number, ReplicaAnswer | 'none'][] = [[0, answer(3, 90)], [1, answer(4, 50)]]
  expect(decidePast(facts([], some))).toEqual({ kind: 'unknown', waitsFor: [2] })
  expect(decidePast(facts([], [...some, [2, answer(4, 60)]]))).toMatchObject({ kind: 'known', state: { leaderEpoch: 4, isr: [2] } })
  expect(decidePast(facts([], [...some, [2, 'none']]))).toMatchObject({ kind: 'known', state: { leaderEpoch: 4, isr: [1] } })
})
