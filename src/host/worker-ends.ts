/** The ends of queues that a worker holds: opened here, by what it was told. */
import type { StageDefinition } from '../define/pipeline.ts'
import type { Doorbell } from '../queue/doorbell.ts'
import { InputReader } from '../queue/input-reader.ts'
import type { LaneView } from '../queue/lane.ts'
import { IDLE, QueueMemory } from '../queue/queue-memory.ts'
import { QueueWriter } from '../queue/queue-writer.ts'
import type { Slabs } from '../queue/slabs.ts'
import type { StopEvent } from '../queue/stop-event.ts'
import { hashKey } from './key-hash.ts'
import type { OutputTask, WorkerTask } from './worker-task.ts'

/** All lanes into the worker. */
export function lanesInto({ inputs }: WorkerTask): LaneView[] {
  return inputs.flatMap(({ queue, consumer }) => {
    const memory = QueueMemory.from(queue)
    return Array.from({ length: memory.producers }, (_, producer) => memory.laneView(producer, consumer))
  })
}

/** Of all its input queues; undefined: it has none. */
export function openReader(
  { inputs, releaseBells }: WorkerTask,
  { bell, stop, slabs }: { bell: Doorbell; stop: StopEvent; slabs: Slabs | undefined },
): InputReader | undefined {
  if (inputs.length === 0) return undefined
  const ends = inputs.map(({ queue, consumer, upstream, overflow }) => ({
    memory: QueueMemory.from(queue),
    index: consumer,
    ...(upstream === undefined ? {} : { upstream: upstream.map((handle) => QueueMemory.from(handle)) }),
    claiming: overflow === 'drop-old',
  }))
  // One that is parked joins a running stage: the supervisor opens it when the worker is ready.
  for (const { memory, index } of ends) {
    if (memory.state('consumer', index) === IDLE) memory.openEnd('consumer', index)
  }
  return new InputReader(ends, {
    bell,
    wakeWriter: 'late',
    releaseBells: releaseBells.map((number) => stop.doorbell(number)),
    slabs,
  })
}

/** Of one of its output queues. */
export function openWriter(
  { stage, inputs }: WorkerTask,
  output: OutputTask,
  definitions: readonly StageDefinition[],
  slabs: Slabs | undefined,
): QueueWriter {
  const memory = QueueMemory.from(output.queue)
  memory.openEnd('producer', output.producer)
  const by = definitions.find(({ name }) => name === output.to)?.options.by as
    | ((value: unknown) => unknown)
    | undefined
  const isPartitioned = output.isPartitioned && by !== undefined
  return new QueueWriter(memory, output.producer, {
    overflow: output.overflow,
    isNumbered: stage.numbering === 'own',
    mayContinue: inputs.some(({ upstream }) => upstream !== undefined),
    slabs,
    ...(isPartitioned ? { keyHash: (value: unknown) => hashKey(by(value), output.to) } : {}),
  })
}
