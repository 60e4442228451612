/** What waits on what in a run: looks at shared memory only, so it can tell of threads that tell nothing themselves. */
import { DONE, HELD, WORKING } from '../observe/counters.ts'
import type {
  Diagnosis,
  EndState,
  QueueDiagnosis,
  StageDiagnosis,
  WaitDiagnosis,
  WorkerDiagnosis,
} from '../observe/diagnosis.ts'
import type { Role } from '../queue/queue-memory.ts'
import { findCulprits } from './find-culprits.ts'
import type { RunQueue } from './run-queue.ts'
import type { PipelineStage } from './stage.ts'
import type { StageWorker } from './stage-worker.ts'
import type { StuckItem } from './watchdog.ts'
import type { Wiring } from './wire.ts'

export interface DiagnosedRun {
  pipeline: string
  state: string
  isPaused: boolean
  /** Undefined while the pipeline is being loaded. */
  wiring: Wiring | undefined
  stuck: readonly StuckItem[]
}

const END_STATES: Readonly<Record<number, EndState>> = {
  [-2]: 'retiring',
  [-1]: 'parked',
  0: 'idle',
  1: 'open',
  2: 'done',
  3: 'gone',
}

/** A moment's look: while threads run, what is read first may have changed when the last is read. */
export function diagnose({ pipeline, state, isPaused, wiring, stuck }: DiagnosedRun): Diagnosis {
  const stages = (wiring?.stages ?? []).map((stage) =>
    diagnoseStage(stage, wiring as Wiring, isPaused, stuck),
  )
  return {
    schema: 'millrace.diagnosis/1',
    pipeline,
    state,
    isPaused,
    stop: wiring?.stop.level ?? 'run',
    stages,
    queues: (wiring?.queues ?? []).map(diagnoseQueue),
    findings: findCulprits(stages, isPaused),
  }
}

function diagnoseStage(
  stage: PipelineStage,
  wiring: Wiring,
  isPaused: boolean,
  stuck: readonly StuckItem[],
): StageDiagnosis {
  const { name, host, state, slabs } = stage
  const workers = stage.workerList.filter((worker) => !worker.isAbsent || worker.number === 0)
  return {
    name,
    host,
    state,
    ...(slabs === undefined ? {} : { slabs }),
    workers: workers.map((worker) => {
      const held = stuck.find((one) => one.stage === stage.name && one.worker === worker.number)
      return diagnoseWorker(stage, worker, waitsOf(stage, worker, wiring, isPaused), held)
    }),
  }
}

function diagnoseWorker(
  stage: PipelineStage,
  worker: StageWorker,
  waitsFor: WaitDiagnosis[],
  stuck: StuckItem | undefined,
): WorkerDiagnosis {
  const { counters, number, state, restarts, threadId } = worker
  const { hasInHand, attempt } = counters
  const bell = stage.bellOf(number)
  return {
    worker: number,
    state,
    ...(stage.host === 'thread' && threadId !== undefined ? { threadId } : {}),
    phase: phaseOf(stage, worker),
    bell: bell === undefined || bell.isAwake ? 'awake' : bell.isDozing ? 'dozing' : 'asleep',
    wakeUps: bell?.wakeUps ?? 0,
    ...(hasInHand ? { item: counters.inHand } : {}),
    ...(hasInHand && attempt > 0 ? { attempt } : {}),
    inHand: hasInHand ? Math.max(1, counters.held) : 0,
    settled: counters.settled,
    restarts,
    waitsFor,
    ...(stuck === undefined ? {} : { stuck: stuckOf(stuck) }),
  }
}

function stuckOf({ item, sinceMs, stack }: StuckItem): NonNullable<WorkerDiagnosis['stuck']> {
  return { item, sinceMs, ...(stack === undefined ? {} : { stack }) }
}

/** A source reads when it does not wait: it has no queue to wait for. */
function phaseOf({ inputs }: PipelineStage, { counters }: StageWorker): WorkerDiagnosis['phase'] {
  if (counters.phase === HELD) return 'held back'
  return counters.phase === WORKING || inputs.length === 0 ? 'working' : 'waiting'
}

function waitsOf(
  stage: PipelineStage,
  worker: StageWorker,
  { stages }: Wiring,
  isPaused: boolean,
): WaitDiagnosis[] {
  if (worker.state === 'ready') return [{ what: 'start', workers: stages.flatMap(openingOf) }]
  if (worker.state !== 'running' || worker.counters.life === DONE) return []
  const phase = phaseOf(stage, worker)
  if (phase === 'working') return []
  if (phase === 'waiting' && isPaused) return [{ what: 'resume', workers: [] }]
  return phase === 'held back' ? roomWaits(stage, worker.number) : itemWaits(stage, worker.number)
}

function openingOf({ name, workerList }: PipelineStage): { stage: string; worker: number }[] {
  const opening = workerList.filter(({ state }) => state === 'starting' || state === 'resting')
  return opening.map(({ number }) => ({ stage: name, worker: number }))
}

/** Queues in which it has filled its share. */
function roomWaits(stage: PipelineStage, worker: number): WaitDiagnosis[] {
  return stage.endsOf(worker).outputs.flatMap(({ queue, end }): WaitDiagnosis[] => {
    const levels = queue.lanesFrom(end).map(({ level }) => level)
    const isFull = levels.reduce((sum, level) => sum + level, 0) >= queue.memory.share(end)
    // A bell that says it waits for room: the bytes may be used up before the places are.
    if (!isFull && !queue.memory.isWaitedFor) return []
    const readers = openEnds(queue, 'consumer').filter((reader) => levels[reader] > 0)
    const workers = readers.map((reader) => ({ stage: queue.to, worker: reader }))
    return [{ what: 'room', from: queue.from, to: queue.to, workers }]
  })
}

/** Queues in which nothing lies for it, or nothing whose turn it is. */
function itemWaits(stage: PipelineStage, worker: number): WaitDiagnosis[] {
  return stage.endsOf(worker).inputs.flatMap(({ queue, end, isMerged }): WaitDiagnosis[] => {
    const levels = queue.lanesTo(end).map(({ level }) => level)
    const hasItems = levels.some((level) => level > 0)
    const writers = openEnds(queue, 'producer').filter((writer) => levels[writer] === 0)
    // What lies there is about to be taken; or its wake-up was lost, which the findings say.
    if ((hasItems && !isMerged) || writers.length === 0) return []
    const workers = writers.map((writer) => ({ stage: queue.from, worker: writer }))
    return [{ what: hasItems ? 'turn' : 'item', from: queue.from, to: queue.to, workers }]
  })
}

function openEnds({ memory }: RunQueue, role: Role): number[] {
  return endStates(memory, role).flatMap((state, end) =>
    state === 'open' || state === 'retiring' ? [end] : [],
  )
}

function diagnoseQueue(queue: RunQueue): QueueDiagnosis {
  const { from, to, branch, kind, level, capacity, passed, dropped, memory } = queue
  const lanes = endStates(memory, 'consumer').flatMap((_, consumer) =>
    queue.lanesTo(consumer).map((lane, producer) => ({ producer, consumer, level: lane.level })),
  )
  return {
    from,
    to,
    ...(branch === undefined ? {} : { branch }),
    kind,
    level,
    capacity,
    passed,
    dropped,
    isClosed: memory.isClosed,
    producers: endStates(memory, 'producer'),
    consumers: endStates(memory, 'consumer'),
    lanes: lanes.length > 1 ? lanes.filter((lane) => lane.level > 0) : [],
  }
}

function endStates(memory: RunQueue['memory'], role: Role): EndState[] {
  const count = role === 'producer' ? memory.producers : memory.consumers
  return Array.from({ length: count }, (_, end) => END_STATES[memory.state(role, end)])
}
