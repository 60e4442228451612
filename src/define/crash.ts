/** How a stage body of ours ends its worker, because what it works with is gone. */
export const CRASH = Symbol.for('millrace.crash/1')

/**
 * The context of a worker that can be ended: as if it had died, so that its next life takes up what it had in hand.
 * Undefined where the host has no next life for it.
 */
export interface CrashingContext {
  [CRASH]?: (error: unknown) => void
}
