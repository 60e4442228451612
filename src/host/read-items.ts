/** How a source's worker reads: from whatever iterable the user gave, until it ends or the run drains. */
import { MillraceError, show } from '../errors.ts'
import { SENTINEL } from '../sentinel.ts'
import { isThenable } from './emitter.ts'
import type { Waiting } from './waiting.ts'

/** How long a source that is waiting for its next item when the drain begins may still take to give it. */
const LAST_ITEM_MS = 250

export interface Reading {
  /** Takes an item that was read; a promise only if that takes waiting. */
  place: (value: unknown) => undefined | Promise<void>
  /** Whether to stop reading. */
  isOver: () => boolean
  /** Aborted when to stop reading, also while waiting for the next item. */
  drained: () => AbortSignal
  waiting: Waiting
}

export async function readItems(items: unknown, reading: Reading): Promise<void> {
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
    const step = iterator.next()
    if (step.done || step.value === SENTINEL) return
    const placing = reading.place(step.value)
    if (placing !== undefined) await placing
    if (reading.waiting.isTurnDue()) await reading.waiting.turn()
  }
  iterator.return?.()
}

async function readAsync(iterator: AsyncIterator<unknown>, reading: Reading): Promise<void> {
  reading.waiting.becomeAsync()
  const drained = onceAborted(reading.drained())
  try {
    while (!reading.isOver()) {
      const step = await drained.or(iterator.next())
      if (step === undefined) break
      if (step.done || step.value === SENTINEL) return
      await reading.place(step.value)
      if (reading.waiting.isTurnDue()) await reading.waiting.turn()
    }
  } finally {
    drained.forget()
  }
  // A generator that waits for something cannot be interrupted: do not wait for its return().
  const returning = iterator.return?.()
  void Promise.resolve(returning).catch(() => {})
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

function isIterable(value: unknown): value is Iterable<unknown> {
  return (
    typeof value === 'string' || (typeof value === 'object' && value !== null && Symbol.iterator in value)
  )
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}
