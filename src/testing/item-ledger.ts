/** What became of each item of each source in a simulation. */
import type { Failure } from '../observe/failure.ts'
import { isTracked } from '../tracked.ts'

/**
 * 'delivered': something made from it reached a sink. 'dropped': nothing did, and nothing failed. 'failed': it, or
 * something made from it, failed for good. 'pending': it is not final yet; at the end: it was abandoned.
 */
export type ItemOutcome = 'delivered' | 'dropped' | 'failed' | 'pending'

export interface ItemRecord {
  /** Name of its source. */
  source: string
  /** Its number there, from 1. */
  item: number
  value: unknown
  outcome: ItemOutcome
  /** Why it failed. */
  failure?: Failure
}

/** An item, where several sources have items of the same number. */
export interface ItemName {
  source: number
  item: number
}

interface Entry extends ItemName {
  name: string
  value: unknown
  failure: Failure | undefined
  /** A batch goes on under the name of one of its items. */
  goesAs: Entry | undefined
  isDelivered: boolean
}

export class ItemLedger {
  /** By the number of the source, then by that of the item less one. */
  readonly #sources: Entry[][] = []
  /** Which item of that number was tried last in that stage: a failure names no source. */
  readonly #tried = new Map<string, Entry>()

  /** The values of a source, each of them noted. */
  async *follow(
    source: number,
    name: string,
    values: Iterable<unknown> | AsyncIterable<unknown>,
  ): AsyncGenerator<unknown, void> {
    const entries: Entry[] = []
    this.#sources[source] = entries
    for await (const given of values) {
      const value = isTracked(given) ? given.value : given
      const item = entries.length + 1
      entries.push({ source, item, name, value, failure: undefined, goesAs: undefined, isDelivered: false })
      yield given
    }
  }

  /** These items are tried in that stage, under this name. */
  begin(stage: string, as: ItemName): void {
    const entry = this.#find(as)
    if (entry !== undefined) this.#tried.set(keyOf(stage, as.item), entry)
  }

  /** Items were gathered into a batch, which goes on under this name. */
  gather(members: readonly ItemName[], as: ItemName): void {
    const target = this.#find(as)
    for (const member of members) {
      const entry = this.#find(member)
      if (entry !== undefined && entry !== target) entry.goesAs = target
    }
  }

  /** A sink is done with something that was made from these items. */
  deliver(items: readonly ItemName[]): void {
    for (const item of items) {
      const entry = this.#find(item)
      if (entry !== undefined) entry.isDelivered = true
    }
  }

  /** An item failed for good. */
  fail(failure: Failure): void {
    const entry = this.#tried.get(keyOf(failure.stage, failure.item ?? 0))
    if (entry !== undefined) entry.failure ??= failure
  }

  /**
   * Source by source, each in its order.
   * @param finalUpTo items of that source up to this one are final
   */
  records(finalUpTo: (source: number) => number): ItemRecord[] {
    return this.#sources.flatMap((entries, source) => {
      const final = finalUpTo(source)
      return entries.map((entry) => recordOf(entry, final))
    })
  }

  #find({ source, item }: ItemName): Entry | undefined {
    return this.#sources[source]?.[item - 1]
  }
}

function recordOf(entry: Entry, final: number): ItemRecord {
  const { name: source, item, value } = entry
  const failure = failureOf(entry)
  if (failure !== undefined) return { source, item, value, outcome: 'failed', failure }
  if (wasDelivered(entry)) return { source, item, value, outcome: 'delivered' }
  return { source, item, value, outcome: item <= final ? 'dropped' : 'pending' }
}

function failureOf({ failure, goesAs }: Entry): Failure | undefined {
  return failure ?? (goesAs && failureOf(goesAs))
}

function wasDelivered({ isDelivered, goesAs }: Entry): boolean {
  return isDelivered || (goesAs !== undefined && wasDelivered(goesAs))
}

function keyOf(stage: string, item: number): string {
  return `${item} ${stage}`
}
