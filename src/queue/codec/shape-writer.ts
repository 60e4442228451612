/**
 * Learns which shapes of plain objects a producer puts again and again, and writes those without their keys.
 *
 * Key by key, every plain object is a way through a tree; the object that takes the same way often enough has a shape, which
 * goes to the table of the producer's queue (shape-table.ts) before the first record that names it. A tree that grows too large is
 * thrown away, but for the shapes; when that happens often there is nothing to learn, and no more is tried.
 */
import { canCompile, makeWriteShape, type WriteShape } from './shape-code.ts'
import { MOST_KEY_UNITS, MOST_KEYS, MOST_SHAPES, ShapeTable } from './shape-table.ts'
import { SHAPE } from './tags.ts'
import type { Writer, WriteValue } from './writer.ts'

/** So often a shape must have come before it is learned. */
const LEARNED_AT = 16
const MOST_NODES = 512
const MOST_TREES = 8

const objectPrototype = Object.prototype
const hasOwn = Object.prototype.hasOwnProperty

interface Node {
  readonly key: string
  readonly above: Node | undefined
  readonly next: Map<string, Node>
  count: number
  write: WriteShape | undefined
}

export class ShapeWriter {
  readonly #table: () => ShapeTable
  #opened: ShapeTable | undefined
  #root = makeNode('', undefined)
  #nodes = 0
  #trees = 1
  #shapes: string[][] = []
  /** Writes the shape that was met last, by depth. */
  #last: (WriteShape | undefined)[] = []
  #isOff = false

  /** @param table is asked for it when the first object is written */
  constructor(memory: SharedArrayBuffer, at: number) {
    this.#table = () => new ShapeTable(memory, at)
  }

  /**
   * Writes an object whose prototype is Object.prototype, if its shape is known. False, and nothing written: write it in
   * full.
   */
  tryWrite(w: Writer, value: object, writeValue: WriteValue): boolean {
    if (this.#isOff) return false
    // What was added to it would show in every object.
    for (const _ in objectPrototype) return false
    const { depth } = w
    const last = this.#last[depth]
    if (last?.(w, value)) return true
    const write = this.#find(value, writeValue)
    if (write === undefined || write === last || !write(w, value)) return false
    this.#last[depth] = write
    return true
  }

  #find(value: object, writeValue: WriteValue): WriteShape | undefined {
    if (this.#opened === undefined && !this.#open(writeValue)) return undefined
    let node = this.#root
    for (const key in value) {
      const next = node.next.get(key) ?? this.#grow(node, key)
      if (next === undefined || !hasOwn.call(value, key)) return undefined
      node = next
    }
    if (node.write === undefined && node.above !== undefined && ++node.count >= LEARNED_AT)
      this.#learn(node, writeValue)
    return node.write
  }

  #open(writeValue: WriteValue): boolean {
    if (!canCompile()) {
      this.#isOff = true
      return false
    }
    this.#opened = this.#table()
    this.#takeNews(this.#opened, writeValue)
    return true
  }

  #takeNews(table: ShapeTable, writeValue: WriteValue): boolean {
    const news = table.news()
    for (const keys of news) this.#know(keys, writeValue)
    return news.length > 0
  }

  #grow(node: Node, key: string): Node | undefined {
    if (this.#trees > MOST_TREES || !isFit(key) || depthOf(node) >= MOST_KEYS) return undefined
    if (++this.#nodes > MOST_NODES) {
      this.#replant()
      return undefined
    }
    const next = makeNode(key, node)
    node.next.set(key, next)
    return next
  }

  #replant(): void {
    this.#trees++
    this.#nodes = 0
    this.#isOff = this.#trees > MOST_TREES && this.#shapes.length === 0
    const drop = (node: Node): boolean => {
      for (const [key, next] of node.next) if (!drop(next)) node.next.delete(key)
      return node.write !== undefined || node.next.size > 0
    }
    drop(this.#root)
  }

  #learn(node: Node, writeValue: WriteValue): void {
    const table = this.#opened as ShapeTable
    // A thread that had this end before may have learned more.
    if (this.#takeNews(table, writeValue)) return
    const keys: string[] = []
    for (let at: Node = node; at.above !== undefined; at = at.above) keys.unshift(at.key)
    if (this.#shapes.length < MOST_SHAPES && table.append(keys)) this.#know(keys, writeValue)
    else this.#trees = MOST_TREES + 1
  }

  #know(keys: string[], writeValue: WriteValue): void {
    let node = this.#root
    for (const key of keys) {
      const next = node.next.get(key) ?? makeNode(key, node)
      node.next.set(key, next)
      node = next
    }
    node.write = makeWriteShape(keys, SHAPE + this.#shapes.length, writeValue)
    this.#shapes.push(keys)
  }
}

function makeNode(key: string, above: Node | undefined): Node {
  return { key, above, next: new Map(), count: 0, write: undefined }
}

function depthOf(node: Node): number {
  let depth = 0
  for (let at = node.above; at !== undefined; at = at.above) depth++
  return depth
}

/**
 * Not those whose value can be found in a prototype when the object has it no more; nor indexes, which JavaScript puts in an
 * order of its own.
 */
function isFit(key: string): boolean {
  if (key.length === 0 || key.length > MOST_KEY_UNITS || key in objectPrototype) return false
  return !/^\d+$|[^\0-\xff]/.test(key)
}
