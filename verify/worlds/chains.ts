/** Pipelines, from a source to a sink, of one worker a stage. */
import { pipeline } from '../../src/define/pipeline.ts'
import type { World } from '../explorer/world.ts'
import { beginningOf, inOrder, orCut, partOf, perhapsTwice, world } from './endings.ts'
import { numbers, type PipelineShape, pass, take } from './pipelines.ts'

const pair = (items: number, capacity: number, overflow: 'block' | 'drop-old' = 'block') =>
  pipeline('pair')
    .source('source', numbers(items))
    .sink('sink', take, { capacityBytes: 64, capacity, overflow })

const chain = (items: number, capacity: number) =>
  pipeline('chain')
    .source('source', numbers(items))
    .stage('middle', pass, { capacityBytes: 64, capacity })
    .sink('sink', take, { capacityBytes: 64, capacity })

/** Makes two of each. */
function* twice(item: number): Generator<number> {
  yield item
  yield item + 10
}

/** A promise for each item: from the first on, its worker waits on the event loop. */
const asynchronous = (items: number) =>
  pipeline('asynchronous')
    .source('source', numbers(items))
    .stage('middle', async (item) => pass(item), { capacityBytes: 64, capacity: 1 })
    .sink('sink', take, { capacityBytes: 64, capacity: 1 })

const doubling = (items: number) =>
  pipeline('doubling')
    .source('source', numbers(items))
    .stage('middle', twice, { capacityBytes: 64, capacity: 1 })
    .sink('sink', take, { capacityBytes: 64, capacity: 1 })

function stopper(level: 'drain' | 'abort'): NonNullable<PipelineShape['others']> {
  return ({ stop }) => [{ name: 'stopper', run: () => void stop.set(level) }]
}

export const CHAINS: World[] = [
  world(
    'chain with promises',
    'source, stage and sink, capacity 1, 2 items; the stage returns promises',
    { make: () => asynchronous(2) },
    inOrder(1, 2),
    { preemptions: 2 },
  ),
  world('pair of 1 item', 'source and sink, capacity 1, 1 item', { make: () => pair(1, 1) }, inOrder(1), {
    isQuick: true,
  }),
  world('pair of 1', 'source and sink, capacity 1, 3 items', { make: () => pair(3, 1) }, inOrder(1, 2, 3), {
    isQuick: true,
  }),
  world(
    'pair of 2',
    'source and sink, capacity 2, 4 items',
    { make: () => pair(4, 2) },
    inOrder(1, 2, 3, 4),
    { isQuick: true },
  ),
  world(
    'pair drop-old',
    'source and sink, capacity 1, 2 items, the oldest dropped',
    { make: () => pair(2, 1, 'drop-old') },
    partOf(1, 2),
  ),
  world(
    'pair drain',
    'source and sink, capacity 1, 3 items; drained at any step',
    { make: () => pair(3, 1), others: stopper('drain') },
    beginningOf(1, 2, 3),
  ),
  world(
    'pair abort',
    'source and sink, capacity 1, 3 items; aborted at any step',
    { make: () => pair(3, 1), others: stopper('abort') },
    beginningOf(1, 2, 3),
  ),
  world(
    'pair dead sink',
    'source and sink, capacity 1, 1 item; the sink is killed at any step and begins again',
    { make: () => pair(1, 1), mortal: { stage: 'sink', lives: 1 } },
    orCut(perhapsTwice(1), 1),
    { deaths: 1 },
  ),
  world(
    'pair dead source',
    'source and sink, capacity 1, 1 item; the source is killed at any step and begins again',
    { make: () => pair(1, 1), mortal: { stage: 'source', lives: 1 } },
    orCut(inOrder(1), 1),
    { deaths: 1 },
  ),
  world(
    'pair dead for good',
    'source and sink, capacity 1, 2 items; the sink is killed at any step and nobody comes',
    { make: () => pair(2, 1), mortal: { stage: 'sink', lives: 0 } },
    beginningOf(1, 2),
    { isQuick: true, deaths: 1 },
  ),
  world(
    'chain of 1',
    'source, stage and sink, capacity 1, 2 items',
    { make: () => chain(2, 1) },
    inOrder(1, 2),
  ),
  world(
    'chain death',
    'source, stage and sink, capacity 1, 1 item; the stage is killed at any step and begins again',
    { make: () => chain(1, 1), mortal: { stage: 'middle', lives: 1 } },
    orCut(inOrder(1), 1),
    { deaths: 1, preemptions: 2 },
  ),
  world(
    'pair drop-old, long',
    'the same with 3 items',
    { make: () => pair(3, 1, 'drop-old') },
    partOf(1, 2, 3),
    { isLarge: true },
  ),
  world(
    'pair dead sink, long',
    'source and sink, capacity 2, 3 items; the sink is killed at any step',
    { make: () => pair(3, 2), mortal: { stage: 'sink', lives: 1 } },
    orCut(perhapsTwice(1, 2, 3), 1, 2, 3),
    { isLarge: true, deaths: 1 },
  ),
  world(
    'pair dead source, long',
    'source and sink, capacity 2, 3 items; the source is killed at any step',
    { make: () => pair(3, 2), mortal: { stage: 'source', lives: 1 } },
    orCut(inOrder(1, 2, 3), 1, 2, 3),
    { isLarge: true, deaths: 1 },
  ),
  world('chain of 1, long', 'the same with 3 items', { make: () => chain(3, 1) }, inOrder(1, 2, 3)),
  world(
    'chain death, long',
    'source, stage and sink, capacity 1, 2 items; the stage is killed at any step and begins again',
    { make: () => chain(2, 1), mortal: { stage: 'middle', lives: 1 } },
    orCut(inOrder(1, 2), 1, 2),
    { deaths: 1, preemptions: 1 },
  ),
  world(
    'doubling death',
    'a stage that makes two items of one is killed at any step',
    { make: () => doubling(1), mortal: { stage: 'middle', lives: 1 } },
    orCut(inOrder(1, 11), 1, 11),
    { deaths: 1, preemptions: 2 },
  ),
  world(
    'chain abort',
    'source, stage and sink, capacity 2, 4 items; aborted at any step',
    { make: () => chain(4, 2), others: stopper('abort') },
    beginningOf(1, 2, 3, 4),
    { isLarge: true },
  ),
  world(
    'two deaths',
    'source, stage and sink, capacity 2, 4 items; the stage is killed twice',
    { make: () => chain(4, 2), mortal: { stage: 'middle', lives: 2 } },
    orCut(inOrder(1, 2, 3, 4), 1, 2, 3, 4),
    { deaths: 2, isLarge: true },
  ),
]
