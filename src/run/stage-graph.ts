/** Which stage feeds which. Pure. Dead letters are no way for items: nobody waits for them, and they end nothing. */

export interface Way {
  from: string
  to: string
  kind: 'items' | 'dead-letters'
}

export class StageGraph {
  readonly #after = new Map<string, string[]>()
  readonly #before = new Map<string, string[]>()
  readonly #letterSinks = new Set<string>()
  readonly #names: readonly string[]

  constructor(names: readonly string[], ways: readonly Way[]) {
    this.#names = names
    for (const name of names) {
      this.#after.set(name, [])
      this.#before.set(name, [])
    }
    for (const { from, to, kind } of ways) {
      if (kind === 'dead-letters') {
        this.#letterSinks.add(to)
        continue
      }
      this.#after.get(from)?.push(to)
      this.#before.get(to)?.push(from)
    }
  }

  /** The stages where items come in. */
  get sources(): string[] {
    return this.#names.filter((name) => this.#before.get(name)?.length === 0 && !this.#letterSinks.has(name))
  }

  /** The stages where items leave, but for dead letters. */
  get sinks(): string[] {
    return this.#names.filter((name) => this.#after.get(name)?.length === 0 && !this.#letterSinks.has(name))
  }

  /** Every stage upstream of that one. */
  upstreamOf(name: string): Set<string> {
    const found = new Set<string>()
    const visit = (at: string): void => {
      for (const before of this.#before.get(at) ?? []) {
        if (found.has(before)) continue
        found.add(before)
        visit(before)
      }
    }
    visit(name)
    return found
  }

  /** Whether what the stage gives can reach a sink through stages that are open. */
  reachesSink(name: string, isOpen: (name: string) => boolean): boolean {
    const seen = new Set<string>()
    const reaches = (at: string): boolean => {
      seen.add(at)
      const after = this.#after.get(at) ?? []
      return after.length === 0 || after.some((next) => !seen.has(next) && isOpen(next) && reaches(next))
    }
    return reaches(name)
  }
}

/** What an end before its time makes of the stages upstream. */
export interface EarlyEnd {
  /** No source that still reads reaches anyone: they may stop. */
  isForAll: boolean
  /** Every sink has ended: what is left upstream is nobody's. */
  isDelivered: boolean
}

/**
 * A stage has ended. Undefined: nothing upstream of it has any work left; that is the ordinary end.
 * @param hasWork whether the stage may still put something out
 */
export function findEarlyEnd(
  graph: StageGraph,
  ended: string,
  hasWork: (name: string) => boolean,
): EarlyEnd | undefined {
  if (![...graph.upstreamOf(ended)].some(hasWork)) return undefined
  const reading = graph.sources.filter(hasWork)
  return {
    isForAll: reading.every((source) => !graph.reachesSink(source, hasWork)),
    isDelivered: !graph.sinks.some(hasWork),
  }
}
