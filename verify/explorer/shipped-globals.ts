/**
 * What the shipped code finds in the place of JavaScript's globals. Its files are bundled as they are and run as the body of
 * a function whose parameters have these names; so each access to shared memory, each promise and each clock is ours.
 */

import { noteConstant } from './describe-state.ts'
import { ADD, AND, COMPARE_EXCHANGE, LOAD, NOTIFY, OR, PEEK, POKE, STORE, WAIT } from './operations.ts'
import { Bytes, Words } from './shared-views.ts'
import { SmallPromise, STOP } from './small-promise.ts'
import type { Threads } from './threads.ts'

const ANSWERS = ['ok', 'not-equal', 'timed-out'] as const

/** The functions of src/queue/atomics.ts. */
function atomics(threads: () => Threads) {
  const operate = (kind: number, words: Words, index: number, first: number, second = 0): number =>
    threads().operate(kind, words.word(index), first, second)
  return {
    load: (words: Words, index: number) => operate(LOAD, words, index, 0),
    store: (words: Words, index: number, value: number) => operate(STORE, words, index, value | 0),
    add: (words: Words, index: number, value: number) => operate(ADD, words, index, value | 0),
    and: (words: Words, index: number, value: number) => operate(AND, words, index, value | 0),
    or: (words: Words, index: number, value: number) => operate(OR, words, index, value | 0),
    compareExchange: (words: Words, index: number, expected: number, value: number) =>
      operate(COMPARE_EXCHANGE, words, index, expected | 0, value | 0),
    wait: (words: Words, index: number, value: number, timeoutMs?: number) => {
      const isTimed = timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY
      return ANSWERS[threads().operate(WAIT, words.word(index), value, 0, isTimed)]
    },
    waitAsync: (words: Words, index: number, value: number) => {
      const promise = threads().waitAsync(words.word(index), value)
      return promise === undefined ? { async: false, value: 'not-equal' } : { async: true, value: promise }
    },
    notifyAll: (words: Words, index: number) => operate(NOTIFY, words, index, 0),
    notify: (words: Words, index: number) => operate(NOTIFY, words, index, 0),
    peek: (words: Words, index: number) => operate(PEEK, words, index, 0),
    poke: (words: Words, index: number, value: number) => {
      operate(POKE, words, index, value | 0)
    },
  }
}

/** The lowered private fields live in WeakMaps; these keep them on the object, where a checkpoint can see them. */
class FieldMap {
  readonly get: (object: object) => unknown
  readonly set: (object: object, value: unknown) => void
  readonly has: (object: object) => boolean

  constructor() {
    const key = `_${++fields}`
    // A function for each field, so that the engine can make each access one of a known property.
    this.get = new Function('object', `return object.${key}`) as (object: object) => unknown
    this.set = new Function('object', 'value', `object.${key} = value`) as FieldMap['set']
    this.has = new Function('object', `return '${key}' in object`) as FieldMap['has']
  }
}

class FieldSet {
  readonly add: (object: object) => void
  readonly has: (object: object) => boolean

  constructor() {
    const key = `_${++fields}`
    this.add = new Function('object', `object.${key} = true`) as FieldSet['add']
    this.has = new Function('object', `return object.${key} === true`) as FieldSet['has']
  }
}

let fields = 0

/** In place of esbuild's helper that gives a new object a private field. */
function addField(threads: () => Threads) {
  return (object: object, member: FieldMap | FieldSet, value: unknown): void => {
    if (member instanceof FieldSet) member.add(object)
    else {
      member.set(object, value)
      threads().noteObject(object)
    }
  }
}

type Steps = Generator<unknown, unknown, unknown>

/** In place of esbuild's helper that runs an async function: the same, and the thread knows which of them it is in. */
function runAsync(threads: () => Threads) {
  return (self: unknown, given: unknown, make: (...parameters: unknown[]) => Steps): SmallPromise =>
    new SmallPromise((resolve, reject) => {
      const its = threads()
      const frame = its.enter(make)
      const attempt = (action: () => IteratorResult<unknown, unknown>): void => {
        let step: IteratorResult<unknown, unknown>
        try {
          step = action()
        } catch (error) {
          if (error === STOP) throw error
          its.leave(frame)
          reject(error)
          return
        }
        if (!step.done) SmallPromise.resolve(step.value).then(next, fail)
        else {
          its.leave(frame)
          resolve(step.value)
        }
      }
      const next = (value?: unknown): void => attempt(() => steps.next(value))
      const fail = (reason: unknown): void => attempt(() => steps.throw(reason))
      const steps = make.apply(self, given as unknown[])
      next()
    })
}

/** The helpers of esbuild that give way to ours, by name. */
export const HELPERS = { __privateAdd: 'explorerAddField', __async: 'explorerRunAsync' }

/** A weak reference that never lets go: when memory is reclaimed is no part of the protocol. */
class FirmRef {
  readonly #target: unknown

  constructor(target: unknown) {
    this.#target = target
  }
  deref(): unknown {
    return this.#target
  }
}

/** Maps that belong to modules. A thread has modules of its own: they are emptied before any thread runs. */
const moduleMaps = new Set<Map<unknown, unknown>>()
let areModulesLoading = false

class ModuleMap extends Map<unknown, unknown> {
  constructor(entries?: Iterable<readonly [unknown, unknown]>) {
    super(entries)
    if (areModulesLoading && entries === undefined) moduleMaps.add(this)
  }
}

/** Loads modules; the maps that they make are theirs. */
export function loadModules<T>(load: () => T): T {
  moduleMaps.clear()
  areModulesLoading = true
  try {
    return load()
  } finally {
    areModulesLoading = false
  }
}

/** As if another thread had loaded the modules. */
export function renewModules(): void {
  for (const map of moduleMaps) map.clear()
}

class NoRegistry {
  register(): void {}
}

function viewOf(isFloat: boolean, real: typeof Int32Array | typeof Float64Array) {
  return function view(memory: unknown, at = 0, length?: number) {
    // What a module keeps for itself, from its loading on, is no memory of a world.
    if (areModulesLoading || !(memory instanceof SharedArrayBuffer))
      return new real(memory as ArrayBuffer, at, length)
    return new Words(memory, at, length, isFloat)
  }
}

const bufferOf = {
  from: (memory: unknown, at: number, length: number) =>
    memory instanceof SharedArrayBuffer ? new Bytes(memory, at, length) : Buffer.from(memory as Uint8Array),
  alloc: (length: number) => Buffer.alloc(length),
  isBuffer: (value: unknown) => Buffer.isBuffer(value),
  prototype: Buffer.prototype,
}

const noTimer = { ref: () => noTimer, unref: () => noTimer }

/** Names and values of the parameters. */
export function shippedGlobals(threads: () => Threads): Record<string, unknown> {
  return {
    explorerAtomics: atomics(threads),
    explorerAddField: addField(threads),
    explorerRunAsync: runAsync(threads),
    Atomics: atomics(threads),
    Int32Array: viewOf(false, Int32Array),
    Float64Array: viewOf(true, Float64Array),
    Buffer: bufferOf,
    Promise: SmallPromise,
    Map: ModuleMap,
    WeakMap: FieldMap,
    WeakSet: FieldSet,
    WeakRef: FirmRef,
    FinalizationRegistry: NoRegistry,
    performance: { now: () => 0, timeOrigin: 0 },
    setImmediate: (task: () => void) => threads().addTask(task),
    // Time does not pass: a wait may time out at any moment, a timer ends at once or never.
    setTimeout: (task: () => void, delayMs: number) => {
      if (delayMs === 0) threads().addTask(task)
      return noTimer
    },
    clearTimeout: () => {},
    setInterval: () => noTimer,
    clearInterval: () => {},
    queueMicrotask: (task: () => void) => void SmallPromise.resolve().then(task),
    process: {
      getActiveResourcesInfo: () => [],
      on: () => {},
      once: () => {},
      off: () => {},
      env: {},
      versions: process.versions,
    },
    explorer: {
      noteConstant,
      operate: (kind: number, words: Words, index: number, first: number) =>
        threads().operate(kind, words.word(index), first),
      threads,
    },
  }
}
