/**
 * What this thread has done so far, in words such as `sink abort`. Code is compiled when it is first called: what is kept
 * of it is worth the more, the more was done; but to keep it takes some milliseconds, so it is kept when there is news.
 */

/** The script that is loaded and what loads it share no more than that: their place, if there are several of them. */
const HEARER = Symbol.for(`millrace.uses ${import.meta.url}`)

interface Hearer {
  note(use: string): void
}

type Home = { [HEARER]?: Hearer }

/**
 * @param known what the code that was loaded is made for
 * @param keep called before the thread ends, if there is more to keep by then
 */
export function hearUses(known: readonly string[], keep: (uses: string[]) => void): void {
  const uses = new Set(known)
  let isToBeKept = false
  const hearer: Hearer = {
    note: (use) => {
      if (uses.has(use)) return
      uses.add(use)
      if (isToBeKept) return
      isToBeKept = true
      process.once('exit', () => keep([...uses]))
    },
  }
  Object.defineProperty(globalThis, HEARER, { value: hearer, configurable: true })
}

/** Something was done for which much code was called. */
export function noteUse(use: string): void {
  ;(globalThis as Home)[HEARER]?.note(use)
}
