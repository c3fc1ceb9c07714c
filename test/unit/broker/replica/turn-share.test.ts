import { TurnShare } from '../../../../broker/replica/turn-share'
import type { Clock } from '../../../../runtime/ports'

/** Time passes when a piece of work says so; `turn` is what happens between two turns of the event loop. */
function slowWorld() {
  let nowMs = 0
  let immediates: (() => void)[] = []
  const clock = {
    monoMs: () => nowMs,
    immediate: (callback: () => void) => void immediates.push(callback),
  } as unknown as Clock
  return {
    clock,
    work: (ms: number) => void (nowMs += ms),
    async turn() {
      const due = immediates
      immediates = []
      for (const callback of due) callback()
      for (let i = 0; i < 20; i++) await undefined
    },
  }
}

test('many requests that lie in one read are spread over turns, in their order', async () => {
  const { clock, work, turn } = slowWorld()
  const share = new TurnShare(clock)
  const done: number[] = []
  const perTurn: number[] = []
  const handle = async (i: number): Promise<void> => {
    const room = share.room()
    if (room !== undefined) await room
    share.spend(() => work(3))
    done.push(i)
  }
  const all = Array.from({ length: 12 }, (_, i) => handle(i))
  perTurn.push(done.length)
  while (done.length < 12) {
    const before = done.length
    await turn()
    perTurn.push(done.length - before)
    expect(perTurn.at(-1)).toBeGreaterThan(0)
  }
  await Promise.all(all)
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(3)
  expect(done).toEqual([...done].sort((a, b) => a - b))
  // And when all is quiet the next has room at once.
  await turn()
  expect(share.room()).toBeUndefined()
})
