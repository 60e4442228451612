/**
 * How the memory of a queue is divided. All in words or bytes; nothing is read or written here.
 *
 *   the queue's line | a line for each end | the lanes of producer 0, of producer 1, ... | a table of shapes for each producer
 */
import { invalidOption } from '../errors.ts'
import { TABLE_BYTES } from './codec/shape-table.ts'
import { type LaneLayout, layOutLane } from './lane.ts'

/** Words of a line: a cache line, so that two ends do not slow each other down. */
export const LINE = 16
/** Where the lines of the ends begin, producers first. */
export const ENDS = LINE

const MAX_BYTES = 2 ** 31 - 2 ** 20

export interface QueueShape {
  name: string
  capacity: number
  capacityBytes: number
  producers: number
  consumers: number
  /** Bytes of each lane. Default: its part of capacityBytes. */
  laneBytes?: number | undefined
}

/** By producer. All in bytes. */
export interface QueueLayout {
  /** Of each of its lanes. */
  lanes: readonly LaneLayout[]
  /** Where the first of its lanes begins; the others follow. */
  laneAt: readonly number[]
  /** Where the table of its shapes begins. */
  shapesAt: readonly number[]
  totalBytes: number
}

export function headerWords(producers: number, consumers: number): number {
  return ENDS + (producers + consumers) * LINE
}

export function laneBytesOf({
  capacityBytes,
  producers,
  consumers,
  laneBytes,
}: Omit<QueueShape, 'name'>): number {
  return laneBytes ?? Math.floor(capacityBytes / (producers * consumers))
}

/** Each producer has its share of the capacity, so no count is shared between producers. */
export function layOutQueue(shape: Omit<QueueShape, 'name'>): QueueLayout {
  const { producers, consumers, capacity } = shape
  const arenaBytes = laneBytesOf(shape)
  const lanes: LaneLayout[] = []
  const laneAt: number[] = []
  let at = headerWords(producers, consumers) * 4
  for (let producer = 0; producer < producers; producer++) {
    const share = Math.floor(capacity / producers) + (producer < capacity % producers ? 1 : 0)
    const lane = layOutLane(share, arenaBytes)
    lanes.push(lane)
    laneAt.push(at)
    at += lane.totalBytes * consumers
  }
  const shapesAt = lanes.map((_, producer) => at + producer * TABLE_BYTES)
  return { lanes, laneAt, shapesAt, totalBytes: at + producers * TABLE_BYTES }
}

/** @throws MILLRACE_INVALID_OPTION */
export function checkShape(shape: QueueShape): void {
  const subject = `queue "${shape.name}"`
  const { capacity, capacityBytes, producers, consumers } = shape
  for (const [option, value] of Object.entries({ producers, consumers })) {
    if (!Number.isSafeInteger(value) || value < 1 || value > 1024) {
      throw invalidOption(subject, option, 'an integer from 1 to 1,024', value)
    }
  }
  if (!Number.isSafeInteger(capacity) || capacity < 1 || capacity > 2 ** 20) {
    throw invalidOption(subject, 'capacity', 'an integer from 1 to 1,048,576', capacity)
  }
  if (capacity < producers) {
    throw invalidOption(subject, 'capacity', `at least the number of producers (${producers})`, capacity)
  }
  const { laneBytes = 64 } = shape
  if (!Number.isSafeInteger(laneBytes) || laneBytes < 64 || laneBytes > MAX_BYTES) {
    throw invalidOption(subject, 'laneBytes', `an integer from 64 to ${MAX_BYTES}`, laneBytes)
  }
  if (
    !Number.isSafeInteger(capacityBytes) ||
    capacityBytes < 64 * producers * consumers ||
    capacityBytes > MAX_BYTES
  ) {
    throw invalidOption(
      subject,
      'capacityBytes',
      `an integer from 64 per lane to ${MAX_BYTES}`,
      capacityBytes,
    )
  }
}
