/** Items that carry the proof that they arrived whole. */
import type { QueueHandle } from '../../src/index.ts'

export interface StressTask {
  queue: QueueHandle
  role: 'producer' | 'consumer'
  index: number
  items: number
  producers: number
  seed: number
}

export type StressItem = [producer: number, number: number, payload: string | Uint8Array, checksum: number]

/** Mostly small, now and then some hundred bytes, as text or as bytes. */
export function makeItem(producer: number, number: number, random: () => number): StressItem {
  const size = Math.floor(random() < 0.9 ? random() * 20 : random() * 600)
  const payload = random() < 0.5 ? 'ab\u00e9'.repeat(size / 3) : new Uint8Array(size).fill(number)
  return [producer, number, payload, checksumOf(producer, number, payload)]
}

export function checksumOf(producer: number, number: number, payload: string | Uint8Array): number {
  let sum = producer * 31 + number
  for (let index = 0; index < payload.length; index++) {
    const unit = typeof payload === 'string' ? payload.charCodeAt(index) : payload[index]
    sum = (Math.imul(sum, 31) + unit) | 0
  }
  return sum
}
