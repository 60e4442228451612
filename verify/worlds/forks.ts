/** Pipelines with two workers in the middle: what they make comes in any order, or is merged. */
import { pipeline } from '../../src/define/pipeline.ts'
import { triggerRetire } from '../../src/run/resize.ts'
import type { StageWorker } from '../../src/run/stage-worker.ts'
import type { World } from '../explorer/world.ts'
import { inAnyOrder, inOrder, orCutWithGap, world } from './endings.ts'
import { makePipeline, numbers, type PipelineShape, pass, take } from './pipelines.ts'
import { openGate, runBefore, waitFor } from './threads.ts'

/** Each worker of the middle stage has one lane from the source and one to the sink. */
const fork = (
  items: number,
  capacity: number,
  order: 'input' | 'completion',
  body: (item: number) => unknown = pass,
) =>
  pipeline('fork')
    .source('source', numbers(items))
    .stage('middle', body, { workers: 2, order, capacityBytes: 128, capacity })
    .sink('sink', take, { capacityBytes: 128, capacity })

/** Drops the first item: the merge must not wait for it. */
function butFirst(item: number): number | undefined {
  return item === 1 ? undefined : pass(item)
}

/** The source goes on only when the sink has taken the last item: nothing that comes later may be needed for that. */
function awaited(items: number, body: (item: number) => unknown) {
  const gate = new Int32Array(new SharedArrayBuffer(4))
  return pipeline('awaited')
    .source('source', function* () {
      yield* numbers(items)()
      waitFor(gate)
    })
    .stage('middle', body, { workers: 2, order: 'input', capacityBytes: 128, capacity: 2 })
    .sink(
      'sink',
      (item) => {
        take(item)
        if (item === items) openGate(gate)
      },
      { capacityBytes: 128, capacity: 2 },
    )
}

/** These threads have done all that they do before the others begin. */
function begunBy(shape: PipelineShape, ...names: string[]): World['setUp'] {
  return () => {
    const { threads } = makePipeline(shape)
    for (const name of names) {
      const thread = threads.find((one) => one.name === name)
      if (thread === undefined) throw new Error(`there is no thread "${name}"`)
      runBefore(thread)
    }
    return threads.filter((thread) => !names.includes(thread.name))
  }
}

/** Retires the second worker of the middle stage, at any step. */
const retirer: NonNullable<PipelineShape['others']> = (_, connections) => {
  const middle = connections.get('middle')
  if (middle === undefined) throw new Error('no middle stage')
  return [{ name: 'retirer', run: () => triggerRetire({ number: 1 } as StageWorker, middle) }]
}

export const FORKS: World[] = [
  world(
    'fork',
    '2 workers between source and sink, 2 items in any order',
    { make: () => fork(2, 2, 'completion') },
    inAnyOrder(1, 2),
    { preemptions: 2 },
  ),
  world(
    'merge',
    '2 workers between source and sink, 2 items in their order',
    { make: () => fork(2, 2, 'input') },
    inOrder(1, 2),
    { preemptions: 2 },
  ),
  world(
    'merge of a dropped one',
    '2 workers, 2 items in their order, the first is dropped',
    { make: () => fork(2, 2, 'input', butFirst) },
    inOrder(2),
    { preemptions: 2 },
  ),
  world(
    'merge of 3',
    '2 workers, 3 items in their order, the first is dropped',
    { make: () => fork(3, 2, 'input', butFirst) },
    inOrder(2, 3),
    { isLarge: true },
  ),
  world(
    'merge death',
    '2 workers, 3 items in their order; a worker is killed at any step',
    { make: () => fork(3, 2, 'input'), mortal: { stage: 'middle', lives: 1 } },
    orCutWithGap(inOrder(1, 2, 3), 1, 2, 3),
    { isLarge: true, deaths: 1 },
  ),
  world(
    'retire',
    '2 workers, 3 items; one is retired at any step',
    { make: () => fork(3, 2, 'completion'), others: retirer },
    inAnyOrder(1, 2, 3),
    { isLarge: true },
  ),
  {
    ...world(
      'merge begun',
      'the same; the second item has come to the sink, and the source has ended',
      { make: () => fork(2, 2, 'input') },
      inOrder(1, 2),
      { isQuick: true },
    ),
    setUp: begunBy({ make: () => fork(2, 2, 'input') }, 'source0', 'middle1'),
  },
  world(
    'merge awaited',
    'the first of 2 items is dropped, and the source waits until the second is taken',
    { make: () => awaited(2, butFirst) },
    inOrder(2),
    { preemptions: 2 },
  ),
]
