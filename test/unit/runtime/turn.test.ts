import { realClock } from '../../../runtime/real-clock'
import { Turn } from '../../../runtime/turn'

test('work runs by phase, once, and work added meanwhile runs in its place', async () => {
  const turn = new Turn(realClock)
  const order: string[] = []
  turn.atEnd(2, () => order.push('socket'))
  turn.atEnd(0, () => {
    order.push('write')
    turn.atEnd(1, () => order.push('completion'))
  })
  turn.atEnd(1, () => {
    order.push('completion of before')
    turn.atEnd(0, () => order.push('write of the completion'))
  })
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  expect(order).toEqual(['write', 'completion of before', 'completion', 'write of the completion', 'socket'])
})
