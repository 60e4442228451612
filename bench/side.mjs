// What every side of a scenario has in common: its settings come in as JSON, its result goes out as JSON.
import { isMainThread } from 'node:worker_threads'

export const settings = JSON.parse(process.argv[2] ?? '{}')

/** Runs the work and prints what it did. Sides that start threads set `settings.started` once those are up. */
export async function report(work) {
  if (!isMainThread) return
  settings.started = performance.now()
  const { count, sum } = await work(settings)
  const elapsedMs = settings.elapsedMs ?? performance.now() - settings.started
  const usage = process.resourceUsage()
  const switches = usage.voluntaryContextSwitches + usage.involuntaryContextSwitches
  console.log(JSON.stringify({ count, sum, elapsedMs, switches, maxRssKb: usage.maxRSS }))
}
