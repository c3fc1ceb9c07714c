import type { Clock } from '../../runtime/ports'

/** What long work may take of the event loop at a time; well below the 20 ms that no pause may exceed. */
const SLICE_MS = 5
/** Also yields after so many steps: in the simulator no time goes by while code runs. */
const MAX_STEPS = 20_000

/** Cuts long work into slices: `if (pacer.isDue()) await pacer.pause()`. After the pause the world may have changed. */
export class Pacer {
  private readonly clock: Clock
  private sliceEndMs: number
  private steps = 0

  constructor(clock: Clock) {
    this.clock = clock
    this.sliceEndMs = clock.monoMs() + SLICE_MS
  }

  /** Asked after each step, which should not take long. */
  isDue(): boolean {
    return ++this.steps >= MAX_STEPS || this.clock.monoMs() >= this.sliceEndMs
  }

  async pause(): Promise<void> {
    await new Promise<void>((resolve) => this.clock.immediate(resolve))
    this.steps = 0
    this.sliceEndMs = this.clock.monoMs() + SLICE_MS
  }
}
