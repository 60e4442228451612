/** What a worker of a stage is made of. */
import { WorkerCounters } from '../observe/counters.ts'
import { GONE, PARKED } from '../queue/queue-memory.ts'
import { endsOf, makeTask, type StageConnections } from './connections.ts'
import { RestartBudget } from './restart-budget.ts'
import type { StageEvents } from './stage-parts.ts'
import { type StageWork, startWorker } from './stage-work.ts'
import type { WorkerParts } from './stage-worker.ts'
import { Judge } from './verdict.ts'

export function workerParts(
  connections: StageConnections,
  number: number,
  work: StageWork,
  events: () => StageEvents,
): WorkerParts {
  const { plan, stop, counters, firstIndex, byHand } = connections
  const ends = endsOf(connections, number)
  const consumers = ends.filter(({ role }) => role === 'consumer')
  return {
    stage: plan.name,
    number,
    counters: new WorkerCounters(counters, firstIndex + number),
    start: (life, verdict, onFailure) => {
      if (byHand?.refused !== undefined) throw byHand.refused
      const place = { worker: number, life }
      const line = events().beginning(place)
      const task = makeTask(connections, number, life, verdict)
      const started = startWorker(work, task, plan.resourceLimits, { onFailure, line })
      // Before anyone else hears of its end.
      void started.ended.then((end) => events().over(place, end))
      return started
    },
    budget: plan.restart === false ? undefined : new RestartBudget(plan.restart),
    judge: new Judge({ poisonAfter: plan.poisonAfter, attempts: plan.retry?.attempts ?? 1 }),
    mayRestart: () => !stop.isSet && events().mayRestart(),
    isParked: () =>
      consumers.length > 0 &&
      consumers.every(({ queue, index }) => queue.memory.state('consumer', index) === PARKED),
    park: () => {
      for (const { queue, role, index } of ends) if (role === 'producer') queue.memory.park(role, index)
    },
    leaveQueues: () => {
      for (const { queue, role, index } of ends) queue.memory.leave(role, index, GONE)
      stop.set('abort')
    },
    ringAll: () => stop.ringAll(),
  }
}
