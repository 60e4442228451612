/**
 * How often each frame is written into a video of a constant rate, so that it is shown when its `ptsMs` says: once, where
 * frames come at that rate; more often, where some are missing before the next; not at all, where there are too many.
 */

/** A longer gap, in seconds, is closed, not filled; so is none of so few frames. */
const LONGEST_GAP_S = 30
const FEW_REPEATS = 250

export class FrameClock {
  readonly #fps: number
  /** Frames written. */
  #written = 0
  /** What times count from: a frame at `ptsMs` is the one after `written` others. */
  #origin = { ptsMs: 0, written: 0 }
  #lastMs: number | undefined

  constructor(fps: number) {
    this.#fps = fps
  }

  /** One without a time comes next. */
  timesOf(ptsMs: number): number {
    const times = Number.isFinite(ptsMs) ? this.#place(ptsMs) - this.#written + 1 : 1
    this.#written += Math.max(0, times)
    return Math.max(0, times)
  }

  #place(ptsMs: number): number {
    const lastMs = this.#lastMs
    this.#lastMs = ptsMs
    const origin = this.#origin
    const place = origin.written + Math.round(((ptsMs - origin.ptsMs) / 1000) * this.#fps)
    const goesOn =
      lastMs !== undefined &&
      ptsMs >= lastMs &&
      place - this.#written < Math.max(FEW_REPEATS, LONGEST_GAP_S * this.#fps)
    if (goesOn) return place
    // The first one, or another video after it, or a gap that is closed: it comes next, whatever its time is.
    this.#origin = { ptsMs, written: this.#written }
    return this.#written
  }
}
