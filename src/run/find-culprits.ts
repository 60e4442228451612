/** Who holds up everybody else: follows who waits for whom to those who wait for nobody. Pure. */
import { nameWorkers, type StageDiagnosis, type WorkerDiagnosis } from '../observe/diagnosis.ts'

interface Node {
  stage: string
  worker: WorkerDiagnosis
  /** Keys of those it waits for. */
  waitsFor: string[]
}

/** Sentences, the most telling first. */
export function findCulprits(stages: readonly StageDiagnosis[], isPaused: boolean): string[] {
  const nodes = new Map<string, Node>()
  for (const { name, workers } of stages) {
    for (const worker of workers) {
      if (worker.state === 'absent' || worker.state === 'done' || worker.state === 'died') continue
      const waitsFor = worker.waitsFor.flatMap((wait) =>
        wait.workers.map(({ stage, worker }) => keyOf(stage, worker)),
      )
      nodes.set(keyOf(name, worker.worker), { stage: name, worker, waitsFor })
    }
  }
  const roots = [...nodes].filter(([, { worker }]) => worker.waitsFor.length === 0)
  const found = isPaused ? ['the run is paused: nobody takes an item before resume()'] : []
  for (const [key, node] of roots) found.push(describeRoot(node, countWaiters(nodes, key)))
  const circle = findCircle(nodes)
  if (circle !== undefined) found.push(`each waits for the next, in a circle: ${nameWorkers(circle)}`)
  return found
}

function describeRoot({ stage, worker }: Node, waiters: number): string {
  const who = `stage "${stage}", worker ${worker.worker}`
  const others =
    waiters === 0 ? '' : `; ${waiters === 1 ? 'one worker waits' : `${waiters} workers wait`} for it`
  return `${who} ${doingOf(worker)}${others}`
}

function doingOf({ state, phase, bell, item, inHand }: WorkerDiagnosis): string {
  if (state === 'starting') return 'is being opened'
  if (state === 'resting') return 'has died and is about to be started again'
  if (state === 'ready') return 'is open, and waits for its run to begin'
  const hand = item === undefined ? '' : ` item ${item}${inHand > 1 ? ` and ${inHand - 1} more` : ''}`
  if (phase === 'working')
    return hand === '' ? 'is in its own code' : `is in its own code, with${hand} in hand`
  if (phase === 'held back')
    return `holds back${hand}: for a rate limit, a retry, or an end that is not there yet`
  return bell === 'asleep'
    ? 'is asleep, and nothing it could wait for is missing: if that stays so, a wake-up was lost'
    : 'is about to take an item, or to end'
}

function countWaiters(nodes: ReadonlyMap<string, Node>, key: string): number {
  const found = new Set<string>()
  const visit = (at: string): void => {
    for (const [other, { waitsFor }] of nodes) {
      if (other === key || found.has(other) || !waitsFor.includes(at)) continue
      found.add(other)
      visit(other)
    }
  }
  visit(key)
  return found.size
}

/** A way that comes back to where it began, over workers that all wait. */
function findCircle(nodes: ReadonlyMap<string, Node>): { stage: string; worker: number }[] | undefined {
  const done = new Set<string>()
  const way: string[] = []
  const visit = (key: string): string[] | undefined => {
    if (way.includes(key)) return way.slice(way.indexOf(key))
    if (done.has(key)) return undefined
    done.add(key)
    way.push(key)
    for (const next of nodes.get(key)?.waitsFor ?? []) {
      const circle = visit(next)
      if (circle !== undefined) return circle
    }
    way.pop()
    return undefined
  }
  for (const key of nodes.keys()) {
    const circle = visit(key)
    if (circle !== undefined) {
      return circle
        .map((at) => nodes.get(at))
        .flatMap((node) => (node ? [{ stage: node.stage, worker: node.worker.worker }] : []))
    }
  }
  return undefined
}

function keyOf(stage: string, worker: number): string {
  return `${worker} ${stage}`
}
