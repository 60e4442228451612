/** Pipelines, from a source to a sink, of one worker a stage or several. */
import { pipeline } from '../../src/define/pipeline.ts'
import { triggerRetire } from '../../src/run/resize.ts'
import type { StageWorker } from '../../src/run/stage-worker.ts'
import type { Ending, World } from '../explorer/world.ts'
import { makePipeline, numbers, type PipelineShape, take } from './pipelines.ts'
import { checkpoint } from './threads.ts'

type Judge = (ending: Ending) => string | undefined

function world(
  name: string,
  about: string,
  shape: PipelineShape,
  judge: Judge,
  more: Partial<World> = {},
): World {
  return { name, about, ...more, setUp: () => makePipeline(shape).threads, judge }
}

const pair = (items: number, capacity: number, overflow: 'block' | 'drop-old' = 'block') =>
  pipeline('pair')
    .source('source', numbers(items))
    .sink('sink', take, { capacityBytes: 64, capacity, overflow })

const chain = (items: number, capacity: number) =>
  pipeline('chain')
    .source('source', numbers(items))
    .stage('middle', pass, { capacityBytes: 64, capacity })
    .sink('sink', take, { capacityBytes: 64, capacity })

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

function pass(item: number): number {
  checkpoint(item)
  return item
}

/** Drops the first item: the merge must not wait for it. */
function butFirst(item: number): number | undefined {
  return item === 1 ? undefined : pass(item)
}

/** Makes two of each. */
function* twice(item: number): Generator<number> {
  yield item
  yield item + 10
}

const doubling = (items: number) =>
  pipeline('doubling')
    .source('source', numbers(items))
    .stage('middle', twice, { capacityBytes: 64, capacity: 1 })
    .sink('sink', take, { capacityBytes: 64, capacity: 1 })

/** What the sink must have noted, in this order. */
function inOrder(...items: number[]): Judge {
  return ({ notes }) => differs(taken(notes), items)
}

/** In any order. */
function inAnyOrder(...items: number[]): Judge {
  return ({ notes }) =>
    differs(
      taken(notes).toSorted((one, other) => one - other),
      items,
    )
}

/** As many of them as there were, from the first on: the run was stopped. */
function beginningOf(...items: number[]): Judge {
  return ({ notes }) => {
    const got = taken(notes)
    return differs(got, items.slice(0, got.length))
  }
}

/** Those of them that were not dropped, each once and in order. */
function partOf(...items: number[]): Judge {
  return ({ notes }) => {
    const got = taken(notes)
    return differs(
      got,
      items.filter((item) => got.includes(item)),
    )
  }
}

/** An item that a killed sink had in hand comes again. */
function perhapsTwice(...items: number[]): Judge {
  return ({ notes, killed }) => {
    const first = itemsOf(notes.get('sink0'))
    const later = itemsOf(notes.get('sink0 life 2'))
    if (killed.size === 0) return differs(first, items)
    const isAgain = later.length > 0 && later[0] === first.at(-1)
    return differs([...first, ...(isAgain ? later.slice(1) : later)], items)
  }
}

/** A worker that dies before it was ever ready is not started again: then the run is aborted, and cut. */
function orCut(judge: Judge, ...items: number[]): Judge {
  return (ending) => {
    const isCut = [...ending.notes.values()].some((log) => log.includes('died'))
    return isCut ? beginningOf(...items)(ending) : judge(ending)
  }
}

function itemsOf(log: readonly string[] = []): number[] {
  return log.map(Number).filter((item) => item > 0)
}

function taken(notes: Ending['notes']): number[] {
  return [...notes].filter(([name]) => name.startsWith('sink')).flatMap(([, log]) => itemsOf(log))
}

function differs(got: readonly number[], wanted: readonly number[]): string | undefined {
  return got.join() === wanted.join()
    ? undefined
    : `the sink took ${got.join(' ') || 'nothing'}, not ${wanted.join(' ')}`
}

function stopper(level: 'drain' | 'abort'): NonNullable<PipelineShape['others']> {
  return ({ stop }) => [{ name: 'stopper', run: () => void stop.set(level) }]
}

/** Retires the second worker of the middle stage, at any step. */
const retirer: NonNullable<PipelineShape['others']> = (_, connections) => {
  const middle = connections.get('middle')
  if (middle === undefined) throw new Error('no middle stage')
  return [{ name: 'retirer', run: () => triggerRetire({ number: 1 } as StageWorker, middle) }]
}

export const CHAINS: World[] = [
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
    { isQuick: true },
  ),
  world(
    'pair drain',
    'source and sink, capacity 1, 3 items; drained at any step',
    { make: () => pair(3, 1), others: stopper('drain') },
    beginningOf(1, 2, 3),
    { isQuick: true },
  ),
  world(
    'pair abort',
    'source and sink, capacity 1, 3 items; aborted at any step',
    { make: () => pair(3, 1), others: stopper('abort') },
    beginningOf(1, 2, 3),
    { isQuick: true },
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
    { isQuick: true },
  ),
  world(
    'chain death',
    'source, stage and sink, capacity 1, 1 item; the stage is killed at any step and begins again',
    { make: () => chain(1, 1), mortal: { stage: 'middle', lives: 1 } },
    orCut(inOrder(1), 1),
    { deaths: 1 },
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
    { deaths: 1 },
  ),
  world(
    'doubling death',
    'a stage that makes two items of one is killed at any step',
    { make: () => doubling(1), mortal: { stage: 'middle', lives: 1 } },
    orCut(inOrder(1, 11), 1, 11),
    { deaths: 1 },
  ),
  world(
    'fork',
    '2 workers between source and sink, 2 items in any order',
    { make: () => fork(2, 2, 'completion') },
    inAnyOrder(1, 2),
  ),
  world(
    'merge',
    '2 workers between source and sink, 2 items in their order',
    { make: () => fork(2, 2, 'input') },
    inOrder(1, 2),
  ),
  world(
    'merge of a dropped one',
    '2 workers, 2 items in their order, the first is dropped',
    { make: () => fork(2, 2, 'input', butFirst) },
    inOrder(2),
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
    orCut(inOrder(1, 2, 3), 1, 2, 3),
    { isLarge: true, deaths: 1 },
  ),
  world(
    'retire',
    '2 workers, 3 items; one is retired at any step',
    { make: () => fork(3, 2, 'completion'), others: retirer },
    inAnyOrder(1, 2, 3),
    { isLarge: true },
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
    { isLarge: true, deaths: 2 },
  ),
]
