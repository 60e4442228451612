/** Reads what a producer has learned of the shapes of its objects: see shape-table.ts. */

import type { Reader, ReadValue } from './reader.ts'
import { canCompile, makeReadShape, type ReadShape, takeHoles } from './shape-code.ts'
import { ShapeTable } from './shape-table.ts'

export class ShapeReader {
  readonly #table: () => ShapeTable
  #opened: ShapeTable | undefined
  readonly #reads: ReadShape[] = []

  constructor(memory: SharedArrayBuffer, at: number) {
    this.#table = () => new ShapeTable(memory, at)
  }

  /** Undefined: there is no such shape. */
  at(number: number, readValue: ReadValue): ReadShape | undefined {
    return this.#reads[number] ?? this.#look(number, readValue)
  }

  #look(number: number, readValue: ReadValue): ReadShape | undefined {
    this.#opened ??= this.#table()
    for (const keys of this.#opened.news()) {
      this.#reads.push(canCompile() ? makeReadShape(keys, readValue) : readSlowly(keys, readValue))
    }
    return this.#reads[number]
  }
}

function readSlowly(keys: readonly string[], readValue: ReadValue): ReadShape {
  return (r: Reader) => {
    const object: object = r.remember({})
    r.enter()
    for (const key of keys) {
      const value = readValue(r)
      Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true })
    }
    r.leave()
    if (r.holes > 0) takeHoles(r, object)
    return object
  }
}
