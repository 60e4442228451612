/**
 * A lane in one thread, with random calls, beside an array that does the same: every record comes out once, in order and whole,
 * whatever the sizes, in whichever order records are given back, and however often either end is made anew in between.
 * And a slot that was overwritten is a clear error.
 */

import { layOutLane } from '../../src/queue/lane.ts'
import { LaneReader } from '../../src/queue/lane-reader.ts'
import { LaneWriter } from '../../src/queue/lane-writer.ts'
import { type Below, randomFrom } from './random-value.ts'

export interface LaneFuzzResult {
  calls: number
  records: number
  corrupt: number
  elapsedMs: number
  fault?: string
}

export function fuzzLane(seed: number, calls: number, mostMs: number): LaneFuzzResult {
  const began = performance.now()
  const below = randomFrom(seed)
  const result: LaneFuzzResult = { calls: 0, records: 0, corrupt: 0, elapsedMs: 0 }
  try {
    while (result.calls < calls && performance.now() - began < mostMs) {
      driveLane(below, result)
      corruptSlot(below, result)
    }
  } catch (error) {
    result.fault = `seed ${seed}, call ${result.calls}: ${String((error as Error).stack)}`
  }
  result.elapsedMs = performance.now() - began
  return result
}

function driveLane(below: Below, result: LaneFuzzResult): void {
  const layout = layOutLane(1 + below(9), 64 * (1 + below(40)))
  const memory = new SharedArrayBuffer(layout.totalBytes)
  let writer = new LaneWriter(memory, 0, layout)
  let reader = new LaneReader(memory, 0, layout)
  /** What lies in the lane, oldest first; what was taken is held by its number. */
  const waiting: { item: number; text: string }[] = []
  let held: { count: number; item: number; text: string }[] = []
  let item = 0
  for (let call = 0; call < 400; call++) {
    result.calls++
    const what = below(20)
    if (what < 8) {
      const text = String.fromCharCode(97 + below(26)).repeat(below(Math.min(300, layout.arenaBytes >> 1)))
      const hadRoom = waiting.length + held.length < layout.capacity
      const isPut = writer.tryPut(text, { item: item + 1, source: 0, order: item + 1, madeBy: item, part: 0 })
      if (isPut && !hadRoom) throw new Error('a record was put into a full lane')
      if (isPut) waiting.push({ item: ++item, text })
    } else if (what < 15) {
      if (reader.isEmpty() !== (waiting.length === 0)) throw new Error(`${waiting.length} records wait`)
      const next = waiting.shift()
      if (next === undefined) continue
      if (reader.item !== next.item || reader.read() !== next.text)
        throw new Error(`record ${next.item} is not itself`)
      if (below(2) === 0) held.push({ count: reader.take(), ...next })
      else if (held.length === 0) reader.commit()
      else reader.release(reader.take())
      result.records++
    } else if (what < 18) {
      const at = below(held.length + 1)
      if (at === held.length) continue
      const [one] = held.splice(at, 1)
      if (reader.readAt(one.count) !== one.text) throw new Error(`record ${one.item} changed in hand`)
      reader.release(one.count)
    } else if (what === 18) writer = new LaneWriter(memory, 0, layout)
    else {
      // The next life of the reader begins with what was not given back.
      reader = new LaneReader(memory, 0, layout)
      waiting.unshift(...held.sort((one, other) => one.item - other.item))
      held = []
      skipGivenBack(reader)
    }
  }
}

/** A new reader stands at the oldest record, which was not given back; those behind it may have been. */
function skipGivenBack(reader: LaneReader): void {
  if (!reader.isEmpty()) reader.level()
}

/** Words 0 and 1 of a slot say where the bytes lie: see lane.ts. */
const SLOTS_AT = 32

function corruptSlot(below: Below, result: LaneFuzzResult): void {
  const layout = layOutLane(1, 256)
  const memory = new SharedArrayBuffer(layout.totalBytes)
  new LaneWriter(memory, 0, layout).tryPut('something', { item: 1, source: 0, order: 1, madeBy: 0, part: 0 })
  const reader = new LaneReader(memory, 0, layout)
  if (reader.isEmpty()) throw new Error('a record that was put is not there')
  const words = new Int32Array(memory)
  const values = [-1, 2 ** 31 - 1, -(2 ** 31), 256, 257, 1000, below(2 ** 31), -below(2 ** 31)]
  words[SLOTS_AT + below(2)] = values[below(values.length)]
  try {
    reader.read()
  } catch (error) {
    if ((error as { code?: string }).code !== 'MILLRACE_CORRUPT_RECORD') throw error
    result.corrupt++
  }
}
