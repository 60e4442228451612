/** Items whose fate their source wants to know: for brokers that take acknowledgements, and for checkpoints. */
import { MillraceError, show } from './errors.ts'
import type { Failure } from './observe/failure.ts'

export interface TrackOptions {
  /**
   * Where the source is once this item is final, as a JSON value: an offset, a line number, a cursor. It is written to
   * the source's checkpoint when every item up to and including this one is final, failed or not. It is copied.
   */
  position?: unknown
  /**
   * Called in the source's worker when every item up to and including this one is final - delivered, dropped or
   * failed in all its parts - and this one did not fail. Called in the order of the items, at most once. A promise
   * is waited for before the source ends.
   */
  ack?: () => unknown
  /** Called instead of `ack`, at the same time, when this item or something made from it failed: skipped or dead-lettered. */
  nack?: (failure: Failure) => unknown
}

/** A registered symbol: every copy of this package in a process has the same one. */
const TRACKED: unique symbol = Symbol.for('millrace.tracked') as never

/** What `track` gives. Opaque: a source yields it, and the pipeline sees only the value. */
export class Tracked<T> {
  readonly [TRACKED] = true
  readonly value: T
  readonly position: unknown
  readonly ack: (() => unknown) | undefined
  readonly nack: ((failure: Failure) => unknown) | undefined

  constructor(value: T, { position, ack, nack }: TrackOptions) {
    this.value = value
    this.position = copyPosition(position)
    this.ack = ack
    this.nack = nack
  }
}

/** What the pipeline sees of an item. */
export type Untracked<T> = T extends Tracked<infer Value> ? Value : T

/**
 * An item that its source keeps track of: yield it in place of the value.
 *
 * An item that a run did not bring to its end (abort, crash) is neither acknowledged nor rejected.
 * @throws MILLRACE_BAD_CHECKPOINT if the position cannot be copied
 * @example
 * for await (const message of consumer)
 *   yield track(message.body, { position: message.offset, ack: () => message.ack(), nack: () => message.reject() })
 */
export function track<T>(value: T, options: TrackOptions = {}): Tracked<T> {
  return new Tracked(value, options)
}

/** Also one made by another copy of this package. */
export function isTracked(value: unknown): value is Tracked<unknown> {
  return typeof value === 'object' && value !== null && TRACKED in value
}

/** A source may go on with its own: what is written later must be what was true of this item. */
function copyPosition(position: unknown): unknown {
  if (typeof position !== 'object' || position === null) return position
  try {
    return structuredClone(position)
  } catch (cause) {
    throw new MillraceError(
      'MILLRACE_BAD_CHECKPOINT',
      `track(): position must be a JSON value, got ${show(position)}`,
      { cause },
    )
  }
}
