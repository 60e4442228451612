/** What a thread may do to shared memory: the steps that a scheduler orders. */

/** An atomic read. */
export const LOAD = 0
/** An atomic write. */
export const STORE = 1
export const ADD = 2
export const COMPARE_EXCHANGE = 3
/** A plain read. */
export const PEEK = 4
/** A plain write. */
export const POKE = 5
/** `Atomics.wait`: sleeps while the word has the value. */
export const WAIT = 6
export const WAIT_ASYNC = 7
export const NOTIFY = 8
/** Not of JavaScript: goes on once the word differs from the value. A supervisor waits so for a thread's end. */
export const UNTIL = 9
/** The thread has nothing to do until an asynchronous wait of it is over. */
export const IDLE = 10
export const OR = 11
export const AND = 12
/** The thread has come to its end. */
export const FINISHED = 13
/** The thread threw. */
export const FAILED = 14

export const NAMES = [
  'load',
  'store',
  'add',
  'cas',
  'peek',
  'poke',
  'wait',
  'waitAsync',
  'notify',
  'until',
  'idle',
  'or',
  'and',
  'finished',
  'failed',
]

/** Results of WAIT and WAIT_ASYNC. */
export const OK = 0
export const NOT_EQUAL = 1
export const TIMED_OUT = 2
export const PENDING = 3

export function isPlain(kind: number): boolean {
  return kind === PEEK || kind === POKE
}

export function writes(kind: number): boolean {
  return (
    kind === STORE ||
    kind === ADD ||
    kind === COMPARE_EXCHANGE ||
    kind === POKE ||
    kind === OR ||
    kind === AND
  )
}
