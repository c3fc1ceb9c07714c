/**
 * The product's own brokers, ZooKeeper and clients on virtual time, one run from one seed (see cluster/story.ts for what is checked). More of them
 * by hand: SEEDS=500 FROM=1000 npx jest test/simulation/simulation, or `npm run simulate -- --seeds 500 --from 1000`.
 */
import { StoryError, tell } from './cluster/story'
import { bugs } from './cluster/planted-bugs'
import type { StoryOptions, StoryResult } from './cluster/story'

const FROM = Number(process.env['FROM'] ?? 1)
const SEEDS = Number(process.env['SEEDS'] ?? 24)

/** The story of a seed; its failure with the seed and the end of its trace. */
async function told(seed: number, options: StoryOptions = {}): Promise<StoryResult> {
  try {
    return await tell(seed, options)
  } catch (error) {
    if (!(error instanceof StoryError)) throw error
    throw new Error(`${error.lines.slice(-60).join('\n')}\n${error.message}`, { cause: error })
  }
}

test('one broker crashes and recovers', async () => {
  for (let seed = FROM; seed < FROM + 3; seed++) await told(seed, { brokers: 1 })
}, 60_000)

test('three brokers lose, repeat and reorder nothing, and become whole', async () => {
  let acknowledged = 0
  let faults = 0
  for (let seed = FROM; seed < FROM + SEEDS; seed++) {
    const result = await told(seed)
    acknowledged += result.acknowledged
    faults += Object.values(result.faults).reduce((sum, count) => sum + count, 0)
  }
  // The stories are about something.
  expect(acknowledged).toBeGreaterThan(SEEDS * 200)
  expect(faults).toBeGreaterThan(SEEDS * 5)
}, 60_000 + SEEDS * 10_000)

test('groups and transactions: every record is consumed, no commit is lost, copies are exact', async () => {
  let transactions = 0
  for (let seed = FROM; seed < FROM + SEEDS / 4; seed++) transactions += (await told(seed, { coordinators: true })).transactions
  expect(transactions).toBeGreaterThan(SEEDS * 3)
}, 60_000 + SEEDS * 10_000)

test('the same seed tells the same story', async () => {
  const results = []
  for (const [seed, coordinators] of [[101, false], [101, false], [102, true], [102, true]] as const) results.push(await told(seed, { coordinators }))
  expect(results[1]).toEqual(results[0])
  expect(results[3]).toEqual(results[2])
  expect(results[2]!.hash).not.toBe(results[0]!.hash)
}, 60_000)

test.each(Object.entries(bugs))('a planted bug is found: %s', async (_, bug) => {
  const findings: string[] = []
  for (let seed = 1; seed <= 15 && findings.length === 0; seed++) {
    const undo = bug.plant()
    try {
      await tell(seed, { coordinators: bug.coordinators ?? false })
    } catch (error) {
      findings.push((error as Error).message)
    } finally {
      undo()
    }
  }
  expect(findings[0]).toMatch(bug.foundBy)
}, 120_000)
