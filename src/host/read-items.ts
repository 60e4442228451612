/** How a source's worker reads: from whatever iterable the user gave, until it ends or the run drains. */
import { MillraceError, show } from '../errors.ts'
import { SENTINEL } from '../sentinel.ts'
import { isAsyncIterable, isIterable, isThenable } from './emitter.ts'
import { BURST, type Waiting } from './waiting.ts'

/**
 * How long a source that is waiting for its next item when the drain begins may still take to give it; and how long
 * a source that was ended early may take to clean up.
 */
const LAST_ITEM_MS = 250

export interface Reading {
  /** Takes an item that was read; a promise only if that takes waiting. */
  place: (value: unknown) => undefined | Promise<void>
  /** Takes an item that came too late. */
  abandon: () => void
  /** Whether to stop reading. */
  isOver: () => boolean
  /** Aborted when to stop reading, also while waiting for the next item. */
  drained: () => AbortSignal
  waiting: Waiting
  /** It is about to wait for an item, who knows how long. */
  rest: () => void
}

/** Reads to the end. A source that heeds `ctx.signal` by throwing has ended in order. */
export async function readItems(items: unknown, reading: Reading): Promise<void> {
  try {
    await readAny(items, reading)
  } catch (error) {
    if (!reading.isOver() || !isInterruption(error, reading.drained())) throw error
  }
}

/** What aborted waits throw: the signal's reason, or an AbortError, as `fetch`, timers and `events.on` do. */
function isInterruption(error: unknown, { reason }: AbortSignal): boolean {
  if (error === reason) return true
  return error instanceof Error && (error.name === 'AbortError' || error.cause === reason)
}

async function readAny(items: unknown, reading: Reading): Promise<void> {
  const values = isThenable(items) ? await items : items
  if (isAsyncIterable(values)) return readAsync(values[Symbol.asyncIterator](), reading)
  if (isIterable(values)) return readSync(values[Symbol.iterator](), reading)
  throw new MillraceError(
    'MILLRACE_INVALID_STAGE',
    `a source must give an iterable or an async iterable, got ${show(values)}`,
  )
}

async function readSync(iterator: Iterator<unknown>, reading: Reading): Promise<void> {
  while (!reading.isOver()) {
    const stoppedAt = readBurst(iterator, reading)
    if (stoppedAt === 'done') return
    if (stoppedAt === 'sentinel') break
    if (stoppedAt !== 'more') await stoppedAt
    if (reading.waiting.isTurnDue()) await reading.waiting.turn()
  }
  await finish(iterator)
}

/** Until something has to be waited for or looked after. */
function readBurst(
  iterator: Iterator<unknown>,
  reading: Reading,
): 'more' | 'done' | 'sentinel' | Promise<void> {
  for (let left = BURST; left > 0; left--) {
    const step = iterator.next()
    if (step.done) return 'done'
    if (step.value === SENTINEL) return 'sentinel'
    const placing = reading.place(step.value)
    if (placing !== undefined) return placing
    if (reading.waiting.isTurnDue() || reading.isOver()) break
  }
  return 'more'
}

async function readAsync(iterator: AsyncIterator<unknown>, reading: Reading): Promise<void> {
  reading.waiting.becomeAsync()
  const drained = onceAborted(reading.drained())
  try {
    while (!reading.isOver()) {
      reading.rest()
      const next = iterator.next()
      const step = await drained.or(next)
      if (step === undefined) return leave(iterator, next, reading)
      if (step.done) return
      if (step.value === SENTINEL) break
      await reading.place(step.value)
      if (reading.waiting.isTurnDue()) await reading.waiting.turn()
    }
  } finally {
    drained.forget()
  }
  await finish(iterator)
}

/** A source that waits for something cannot be interrupted: it is told, and not waited for. */
function leave(
  iterator: AsyncIterator<unknown>,
  next: Promise<IteratorResult<unknown>>,
  reading: Reading,
): void {
  void Promise.resolve(next).then(
    (late) => {
      if (!late.done && late.value !== SENTINEL) reading.abandon()
    },
    () => {},
  )
  void triggerReturn(iterator)
}

/** Lets the source clean up, within `LAST_ITEM_MS`. */
async function finish(iterator: Iterator<unknown> | AsyncIterator<unknown>): Promise<void> {
  const returned = triggerReturn(iterator)
  if (returned === undefined) return
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LAST_ITEM_MS)
  })
  await Promise.race([returned, late])
  clearTimeout(timer)
}

/** Never throws or rejects: the stream is over, and everything that was read is on its way. */
function triggerReturn(iterator: Iterator<unknown> | AsyncIterator<unknown>): Promise<void> | undefined {
  const ignore = (): void => {}
  try {
    const returning: unknown = iterator.return?.()
    return isThenable(returning) ? Promise.resolve(returning).then(ignore, ignore) : undefined
  } catch {
    return undefined
  }
}

interface Interruptible {
  /** The step, or `undefined` if the signal came and the step did not within `LAST_ITEM_MS`. */
  or<T>(step: Promise<T>): Promise<T | undefined>
  /** No more steps. */
  forget(): void
}

/** One listener for all steps: `Promise.race` with a long-lived promise would keep every step in memory. */
function onceAborted(signal: AbortSignal): Interruptible {
  let interrupt: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined
  const soon = () => {
    timer = setTimeout(() => interrupt?.(), LAST_ITEM_MS)
  }
  if (signal.aborted) soon()
  else signal.addEventListener('abort', soon, { once: true })
  return {
    or: (step) =>
      new Promise((resolve, reject) => {
        interrupt = () => resolve(undefined)
        Promise.resolve(step).then(resolve, reject)
      }),
    forget: () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', soon)
    },
  }
}
