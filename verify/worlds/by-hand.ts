/** Queues by hand: BoundedQueue's blocking calls, between threads that use nothing else. */
import { BoundedQueue } from '../../src/queue/bounded-queue.ts'
import type { QueueHandle } from '../../src/queue/queue-memory.ts'
import { robustPutSync } from '../../src/queue/robust-put.ts'
import { StopEvent } from '../../src/queue/stop-event.ts'
import { SENTINEL } from '../../src/sentinel.ts'
import type { ThreadSpec } from '../explorer/threads.ts'
import type { World } from '../explorer/world.ts'
import { checkpoint, nameBoard, nameQueue, note, untilEnd } from './threads.ts'

interface Shape {
  capacity: number
  writers: number
  readers: number
  /** Of each writer. */
  items: number
  /** Of all but the first. Default: as many. */
  itemsOfOthers?: number
  /** Another thread sets the stop event, at any step. */
  stop?: 'abort' | 'drain'
  /** Another thread closes the queue, at any step. */
  close?: boolean
  /** The first of whom may be killed, at any step. */
  mortal?: 'writer' | 'reader'
  /** The reader takes so many items and leaves. */
  leaveAfter?: number
  /** Hundreds in an item make its record longer: see word-codec.ts. */
  weight?: number
}

function byHand(name: string, about: string, shape: Shape, more: Partial<World> = {}): World {
  return {
    name,
    about,
    ...(shape.mortal === undefined ? {} : { deaths: 1 }),
    ...more,
    setUp: () => makeThreads(shape),
    judge: ({ notes, killed }) => judge(notes, shape, killed),
  }
}

function makeThreads(shape: Shape): ThreadSpec[] {
  const { capacity, writers, readers, mortal, weight = 0 } = shape
  const stop = new StopEvent({ doorbells: writers + readers })
  const queue = new BoundedQueue<number>({
    capacity,
    capacityBytes: 64 * writers * readers,
    producers: writers,
    consumers: readers,
    stop,
  })
  const { handle } = queue
  const names = [...numbered('writer', writers), ...numbered('reader', readers)]
  // As if each thread had used the queue before: taking an end is not what these worlds are about.
  for (const [thread] of names.entries()) {
    queue.memory.claim(thread < writers ? 'producer' : 'consumer', thread)
  }
  nameBoard(stop, names)
  nameQueue('q', queue.memory)
  const threads: ThreadSpec[] = names.map((thread, index) => ({
    name: thread,
    mayDie: thread === `${mortal}0`,
    run: () =>
      index < writers ? write(handle, index, itemsOf(shape, index), weight) : read(handle, shape.leaveAfter),
  }))
  if (shape.stop !== undefined) {
    const level = shape.stop
    threads.push({ name: 'stopper', run: () => void StopEvent.from(handle.stop).set(level) })
  }
  if (shape.close) threads.push({ name: 'closer', run: () => void BoundedQueue.from(handle).close() })
  if (mortal !== undefined) {
    const first = names.indexOf(`${mortal}0`)
    threads.push({ name: 'creator', run: () => watch(handle, names[first], first) })
  }
  return threads
}

function itemsOf({ items, itemsOfOthers = items }: Shape, writer: number): number {
  return writer === 0 ? items : itemsOfOthers
}

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}${index}`)
}

function write(handle: QueueHandle, writer: number, items: number, weight: number): void {
  const queue = BoundedQueue.from<number>(handle)
  const stop = StopEvent.from(handle.stop)
  for (let item = 1; item <= items; item++) {
    checkpoint(queue, item)
    const value = writer * 10 + item + weight * 100
    if (!robustPutSync(queue, value, stop)) {
      note('gave up')
      return
    }
    note(value)
  }
  robustPutSync(queue, SENTINEL, stop)
}

function read(handle: QueueHandle, leaveAfter = Number.POSITIVE_INFINITY): void {
  const queue = BoundedQueue.from<number>(handle)
  for (let taken = 0; ; taken++) {
    checkpoint(queue, taken)
    if (taken === leaveAfter) {
      queue.leaveAsConsumer()
      note('left')
      return
    }
    const item = next(queue)
    note(item)
    if (typeof item === 'string') return
  }
}

function next(queue: BoundedQueue<number>): number | 'end' | 'stopped' | 'gone' {
  try {
    const item = queue.getSync()
    if (typeof item === 'number') return item
    return item === SENTINEL ? 'end' : 'stopped'
  } catch (error) {
    if ((error as { code?: string }).code === 'MILLRACE_PRODUCER_GONE') return 'gone'
    throw error
  }
}

/** What the thread that made the others does when one ends: see thread-watch.ts. */
function watch(handle: QueueHandle, name: string, thread: number): void {
  const { memory } = BoundedQueue.from(handle)
  untilEnd(name)
  memory.markThreadGone(thread)
}

function judge(
  notes: ReadonlyMap<string, readonly string[]>,
  shape: Shape,
  killed: ReadonlySet<string>,
): string | undefined {
  const { writers, stop, close, mortal, leaveAfter } = shape
  const put = new Set<string>()
  const last = new Set<string>()
  const taken = new Set<string>()
  const hasDied = killed.size > 0
  const mayBeCut = stop === 'abort' || close === true || hasDied || leaveAfter !== undefined
  for (const [name, log] of notes) {
    if (!name.startsWith('writer')) continue
    for (const item of log) if (item !== 'gave up') put.add(item)
    last.add(log.findLast((item) => item !== 'gave up') ?? '')
    if (log.includes('gave up') && !mayBeCut) return `${name} gave up: ${log}`
  }
  for (const [name, log] of notes) {
    if (!name.startsWith('reader')) continue
    const end = log.at(-1)
    const mayEnd =
      end === 'end' ||
      end === 'left' ||
      (end === 'stopped' && stop === 'abort') ||
      (end === 'gone' && hasDied && mortal === 'writer')
    if (!mayEnd && !killed.has(name)) return `${name} ended without SENTINEL: ${log}`
    const items = log.filter((item) => Number(item) > 0)
    const highest = new Map<number, number>()
    for (const item of items) {
      if (taken.has(item)) return `item ${item} was taken twice`
      taken.add(item)
      const writer = Math.floor((Number(item) % 100) / 10)
      if (Number(item) < (highest.get(writer) ?? 0))
        return `${name} got items of one writer out of order: ${log}`
      highest.set(writer, Number(item))
    }
    if (log.length - items.length > 1) return `${name} went on after its end: ${log}`
  }
  // Published, and not noted yet.
  const mayBeUnnoted = stop === 'abort' || (hasDied && mortal === 'writer')
  for (const item of taken) if (!put.has(item) && !mayBeUnnoted) return `item ${item} was taken and not put`
  if (stop === 'abort' || mortal === 'reader' || leaveAfter !== undefined) return undefined
  for (const item of put) {
    // A put that was under way when the queue was closed may be left behind.
    if (!taken.has(item) && !(close && last.has(item))) return `item ${item} was put and never taken`
  }
  let all = 0
  for (let writer = 0; writer < writers; writer++) all += itemsOf(shape, writer)
  if (!mayBeCut && taken.size !== all) return `${taken.size} of ${all} items were taken`
  return undefined
}

const ONE = { capacity: 1, writers: 1, readers: 1, items: 3 }

export const BY_HAND: World[] = [
  byHand('hand 1x1 of 1', 'writer and reader, capacity 1, 3 items', ONE, { isQuick: true }),
  byHand(
    'hand 1x1 of 2',
    'writer and reader, capacity 2, 4 items',
    { ...ONE, capacity: 2, items: 4 },
    { isQuick: true },
  ),
  byHand(
    'hand arena',
    'the same, with records that fill the arena before the lane is full',
    { ...ONE, capacity: 3, items: 4, weight: 2 },
    { isQuick: true },
  ),
  byHand(
    'hand abort',
    'writer and reader, capacity 1, 3 items; abort at any step',
    { ...ONE, stop: 'abort' },
    { isQuick: true },
  ),
  byHand(
    'hand close',
    'writer and reader, capacity 1, 3 items; closed at any step',
    { ...ONE, close: true },
    { isQuick: true },
  ),
  byHand(
    'hand leave',
    'writer and reader, capacity 1, 3 items; the reader leaves after one',
    { ...ONE, leaveAfter: 1 },
    { isQuick: true },
  ),
  byHand(
    'hand dead writer',
    'writer and reader, capacity 1, 2 items; the writer is killed at any step',
    { ...ONE, items: 2, mortal: 'writer' },
    { isQuick: true },
  ),
  byHand(
    'hand dead reader',
    'writer and reader, capacity 1, 3 items; the reader is killed at any step',
    { ...ONE, mortal: 'reader' },
    { isQuick: true },
  ),
  byHand('hand 2x1', '2 writers and a reader, capacity 2, 2 items and 1', {
    ...ONE,
    capacity: 2,
    writers: 2,
    items: 2,
    itemsOfOthers: 1,
  }),
  byHand(
    'hand 2x1 of 2+2',
    '2 writers and a reader, capacity 2, 2 items each',
    { ...ONE, capacity: 2, writers: 2, items: 2 },
    { preemptions: 2 },
  ),
  byHand('hand 1x2', 'a writer and 2 readers, capacity 1, 3 items', { ...ONE, readers: 2 }),
  byHand(
    'hand 2x2 of 1',
    '2 writers and 2 readers, capacity 2, an item each',
    {
      ...ONE,
      capacity: 2,
      writers: 2,
      readers: 2,
      items: 1,
    },
    { preemptions: 2 },
  ),
  byHand(
    'hand 2x2 of 2+1',
    '2 writers and 2 readers, capacity 2, 3 items',
    {
      ...ONE,
      capacity: 2,
      writers: 2,
      readers: 2,
      items: 2,
      itemsOfOthers: 1,
    },
    { preemptions: 2 },
  ),
  byHand(
    'hand 2x2 abort',
    'the same; abort at any step',
    { ...ONE, capacity: 2, writers: 2, readers: 2, items: 2, itemsOfOthers: 1, stop: 'abort' },
    { preemptions: 1 },
  ),
  byHand(
    'hand 2x2 dead writer',
    'the same; a writer is killed at any step',
    { ...ONE, capacity: 2, writers: 2, readers: 2, items: 2, itemsOfOthers: 1, mortal: 'writer' },
    { preemptions: 1 },
  ),
  byHand(
    'hand 2x2 dead reader',
    'the same; a reader is killed at any step',
    { ...ONE, capacity: 2, writers: 2, readers: 2, items: 2, itemsOfOthers: 1, mortal: 'reader' },
    { preemptions: 1 },
  ),
  byHand(
    'hand 2x2',
    '2 writers and 2 readers, capacity 2, 3 items each',
    { ...ONE, capacity: 2, writers: 2, readers: 2 },
    { isLarge: true },
  ),
]
