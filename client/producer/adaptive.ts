/**
 * An index drawn at random, the likelier the fewer batches wait there: what is slow gets less (KIP-794). `draw` is in [0, 1).
 */
export function leastWaiting(waiting: readonly number[], draw: number): number {
  const most = Math.max(...waiting)
  const weights = waiting.map((count) => most + 1 - count)
  let left = draw * weights.reduce((sum, weight) => sum + weight, 0)
  for (const [index, weight] of weights.entries()) {
    if (left < weight) return index
    left -= weight
  }
  return weights.length - 1
}
