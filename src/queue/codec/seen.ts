/** Up to this many objects a linear scan is cheaper than a Map. */
const SCAN_MAX = 8

/** The objects of one value in the order in which they began: what a back-reference points to. */
export class Seen {
  count = 0
  #list: (object | undefined)[] = []
  #index: Map<object, number> | undefined

  /** The number of an object that was seen before; -1 for a new one, which takes the next number. */
  add(object: object): number {
    const { count } = this
    const list = this.#list
    if (this.#index !== undefined) {
      const known = this.#index.get(object)
      if (known !== undefined) return known
      this.#index.set(object, count)
    } else {
      for (let i = 0; i < count; i++) if (list[i] === object) return i
      if (count === SCAN_MAX) this.#index = this.#indexed(object)
    }
    list[count] = object
    this.count = count + 1
    return -1
  }

  /** Forgets all but the first `count`. */
  rollback(count: number): void {
    for (let i = count; i < this.count; i++) {
      this.#index?.delete(this.#list[i] as object)
      this.#list[i] = undefined
    }
    this.count = count
  }

  /** Forgets all, so that nothing of the caller's is kept alive. */
  clear(): void {
    this.#index = undefined
    if (this.count > 1024) this.#list = []
    else for (let i = 0; i < this.count; i++) this.#list[i] = undefined
    this.count = 0
  }

  #indexed(last: object): Map<object, number> {
    const index = new Map<object, number>()
    for (let i = 0; i < this.count; i++) index.set(this.#list[i] as object, i)
    return index.set(last, this.count)
  }
}
