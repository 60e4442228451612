/** What the threads of a world call besides shipped code. */
import { type LaneView, READER_PEAK, WRITER_PEAK } from '../../src/queue/lane.ts'
import type { QueueMemory } from '../../src/queue/queue-memory.ts'
import type { StopEvent } from '../../src/queue/stop-event.ts'
import { STORE, UNTIL } from '../explorer/operations.ts'
import type { Threads } from '../explorer/threads.ts'

declare const explorer: { threads: () => Threads; noteConstant: (...objects: readonly object[]) => void }

/** See describe-state.ts. */
export function constant(...objects: readonly object[]): void {
  explorer.noteConstant(...objects)
}

interface View {
  word(index: number): number
}

/** See Threads.note. */
export function note(text: string | number): void {
  explorer.threads().note(String(text))
}

/** See Threads.checkpoint. */
export function checkpoint(...roots: unknown[]): void {
  explorer.threads().checkpoint(roots)
}

/** Puts a checkpoint before these methods and getters of a class. */
export function mergeAt(shipped: { prototype: object }, ...names: string[]): void {
  for (const name of names) {
    const property = Object.getOwnPropertyDescriptor(shipped.prototype, name)
    if (property === undefined) throw new Error(`there is no method "${name}" to put a checkpoint before`)
    const key = property.get === undefined ? 'value' : 'get'
    const method = property[key] as (...parameters: unknown[]) => unknown
    Object.defineProperty(shipped.prototype, name, {
      ...property,
      [key](this: unknown, ...parameters: unknown[]) {
        mergeHere()
        return method.apply(this, parameters)
      },
    })
  }
}

/** What these methods of a class return may be in a variable only: see Threads.hold. */
export function holdResult(shipped: { prototype: object }, ...names: string[]): void {
  for (const name of names) {
    const property = Object.getOwnPropertyDescriptor(shipped.prototype, name)
    if (property === undefined) throw new Error(`there is no method "${name}" whose result to hold`)
    const method = property.value as (...parameters: unknown[]) => unknown
    const value = function (this: unknown, ...parameters: unknown[]) {
      const result = method.apply(this, parameters)
      explorer.threads().hold(result)
      return result
    }
    Object.defineProperty(shipped.prototype, name, { ...property, value })
  }
}

/** What was read last is in no variable any more that will be looked at. */
export function letGo(): void {
  explorer.threads().hold(undefined)
}

function mergeHere(): void {
  explorer.threads().checkpointAgain()
}

/** Waits until the thread has ended, as one who holds its Worker does; whether it was killed. */
export function untilEnd(name: string): boolean {
  const threads = explorer.threads()
  return threads.operate(UNTIL, threads.own[numberOf(name)].ended, 0) === 2
}

/** Says that this thread is ready, and waits until another lets it go on. */
export function sayReady(gate: Int32Array): void {
  const threads = explorer.threads()
  threads.operate(STORE, threads.own[threads.current].said, 1)
  threads.operate(UNTIL, (gate as unknown as View).word(0), 0)
}

/** Waits until the thread has said that it is ready, or has ended. */
export function untilReady(name: string): void {
  const threads = explorer.threads()
  threads.operate(UNTIL, threads.own[numberOf(name)].said, 0)
}

/** Waits until another thread has opened the gate. */
export function waitFor(gate: Int32Array): void {
  explorer.threads().operate(UNTIL, (gate as unknown as View).word(0), 0)
}

/** Runs a thread of a world to its end before the others begin: so small worlds begin in the middle of larger ones. */
export function runBefore(thread: { run: () => unknown }): void {
  explorer.threads().runBefore(thread.run)
}

/** Lets a thread that has said that it is ready go on, or one that waits for the gate. */
export function openGate(gate: Int32Array): void {
  const threads = explorer.threads()
  threads.operate(STORE, (gate as unknown as View).word(0), 1)
}

/** Lets a thread begin that `isLater`. */
export function begin(name: string): void {
  const threads = explorer.threads()
  threads.operate(STORE, threads.own[numberOf(name)].begun, 1)
}

function numberOf(name: string): number {
  const number = explorer.threads().specs.findIndex((spec) => spec.name === name)
  if (number < 0) throw new Error(`there is no thread "${name}"`)
  return number
}

const HEADER = ['magic', 'producers', 'consumers', 'capacity', 'capacityBytes', 'CLOSED', 'id', 'id', 'EPOCH']
const END = ['OWNER', 'STATE', 'bell', 'NUMBER', 'SEEN', 'DROPPED', 'DROPPED_LAPS', 'RETIRED_AT', 'WAITS']
const CONTROL = ['TAIL', 'peak', 'TAIL_LAPS', 'DROPPED', 'DROPPED_LAPS']
const READER = [
  'HEAD',
  'peak',
  'HEAD_LAPS',
  'HOLDS',
  'HELD_ORDER',
  'HELD_KIND',
  'HELD_ITEM_LOW',
  'HELD_ITEM_HIGH',
]
const SLOT = ['OFFSET', 'LENGTH', 'KIND', 'ITEM_LOW', 'ITEM_HIGH', 'ORDER', 'MADE_BY', 'PART']

/** Gives the words of a queue their names, and says which of them only count. */
export function nameQueue(name: string, memory: QueueMemory): void {
  const { producers, consumers } = memory
  const all = new Int32Array(memory.memory) as unknown as View & { length: number }
  for (const [index, text] of HEADER.entries()) nameWord(all, index, `${name}.${text}`)
  for (let end = 0; end < producers + consumers; end++) {
    const role = end < producers ? `P${end}` : `C${end - producers}`
    for (const [index, text] of END.entries())
      nameWord(all, 16 * (end + 1) + index, `${name}.${role}.${text}`)
  }
  for (let producer = 0; producer < producers; producer++) {
    for (let consumer = 0; consumer < consumers; consumer++) {
      const view = memory.laneView(producer, consumer)
      nameLane(producers * consumers === 1 ? name : `${name}.lane${producer}${consumer}`, view)
    }
  }
}

function nameLane(name: string, view: LaneView): void {
  const { words, bytes, mask } = view as unknown as {
    words: View
    bytes: View & { length: number }
    mask: number
  }
  for (const [index, text] of CONTROL.entries()) nameWord(words, index, `${name}.${text}`)
  for (const [index, text] of READER.entries()) nameWord(words, 16 + index, `${name}.${text}`)
  for (let slot = 0; slot <= mask; slot++) {
    for (const [index, text] of SLOT.entries())
      nameWord(words, 32 + slot * 8 + index, `${name}.slot${slot}.${text}`)
  }
  for (let at = 0; at < bytes.length; at += 4) nameWord(bytes, at, `${name}.byte${at}`)
  for (const peak of [WRITER_PEAK, READER_PEAK]) wordOf(words, peak).isStatistic = true
}

/** Gives the words of the board their names; how often a sleeper woke only counts. */
export function nameBoard(stop: StopEvent, names: readonly string[]): void {
  const words = new Int32Array(stop.handle.board) as unknown as View
  nameWord(words, 0, 'STOP')
  nameWord(words, 1, 'bells taken')
  for (const [bell, name] of names.entries()) {
    nameWord(words, 16 * (bell + 1), `bell of ${name}`)
    const word = wordOf(words, 16 * (bell + 1))
    word.isBell = true
    word.found.isShared = true
    word.isShared = true
    wordOf(words, 16 * (bell + 1) + 1).isStatistic = true
  }
}

function nameWord(view: View, index: number, name: string): void {
  wordOf(view, index).name = name
}

function wordOf(view: View, index: number) {
  return explorer.threads().table.words[view.word(index)]
}
