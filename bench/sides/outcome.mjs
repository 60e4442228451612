// What every side has in common: its settings come in as JSON, what it measured goes out as JSON.

/** Of the main thread; workers are given theirs. */
export const settings = JSON.parse(process.argv[2] ?? '{}')

/** The same clock in every thread, in milliseconds. */
export function nowMs() {
  return Number(process.hrtime.bigint()) / 1e6
}

const FIELDS = ['startedMs', 'endedMs', 'switches', 'cpuMs', 'count', 'sum']

/** What is measured, in memory that all threads share. The clock runs from `begin` to `end`, whoever calls them. */
export class Outcome {
  #values

  constructor(memory = new SharedArrayBuffer(FIELDS.length * 8)) {
    this.memory = memory
    this.#values = new Float64Array(memory)
  }

  /** To be called when every thread is up and the first item is about to be made. */
  begin() {
    const { switches, cpuMs } = usage()
    this.#set({ switches, cpuMs, startedMs: nowMs() })
  }

  /** To be called when the last item has arrived. */
  end({ count, sum }) {
    const endedMs = nowMs()
    const { switches, cpuMs } = usage()
    const [, , switchesBefore, cpuMsBefore] = this.#values
    this.#set({ endedMs, count, sum, switches: switches - switchesBefore, cpuMs: cpuMs - cpuMsBefore })
  }

  /** Prints it, with what else a side has found out. */
  print(more = {}) {
    const [startedMs, endedMs, switches, cpuMs, count, sum] = this.#values
    const { maxRSS } = process.resourceUsage()
    const measured = { count, sum, elapsedMs: endedMs - startedMs, switches, cpuMs, maxRssKb: maxRSS }
    console.log(JSON.stringify({ ...measured, ...more }))
  }

  #set(values) {
    for (const [name, value] of Object.entries(values)) this.#values[FIELDS.indexOf(name)] = value
  }
}

/** Of the whole process, also from within a thread. */
function usage() {
  const { voluntaryContextSwitches, involuntaryContextSwitches, userCPUTime, systemCPUTime } =
    process.resourceUsage()
  return {
    switches: voluntaryContextSwitches + involuntaryContextSwitches,
    cpuMs: (userCPUTime + systemCPUTime) / 1000,
  }
}
