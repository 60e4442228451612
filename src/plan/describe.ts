/** A stage and a queue of the plan in a few words, for the drawings. */
import type { PlannedBatch, PlannedQueue, PlannedStage } from './plan.ts'

/**
 * `4 threads, in order, batches of 100 within 50 ms, then map`.
 * @param print makes a name fit to be printed
 */
export function describeStage(stage: PlannedStage, print: (text: string) => string): string {
  const { host, workers, maxWorkers, concurrency, isPartitioned, batch, operators, builtin } = stage
  const parts = [host === 'loop' ? 'on the loop' : describeWorkers(host, workers, maxWorkers)]
  if (builtin === 'identity') parts.push('hands on')
  if (stage.file !== undefined) parts.push(`to ${print(stage.file)}`)
  if (isPartitioned) parts.push('by key')
  if (concurrency > 1) parts.push(`${concurrency} at a time`)
  if (maxWorkers > 1 || concurrency > 1) parts.push(describeOrder(stage))
  if (batch !== undefined) parts.push(describeBatch(batch))
  parts.push(...describePolicy(stage))
  if (operators.length > 0) parts.push(`then ${operators.join(', ')}`)
  return parts.join(', ')
}

/** Each of several workers makes batches of the items that it is given: the batches have an order, not the items in them. */
function describeOrder({ order, batch, maxWorkers }: PlannedStage): string {
  if (order !== 'input') return 'as completed'
  return batch !== undefined && maxWorkers > 1 ? 'in order of first items' : 'in order'
}

/** `64 items, 16 MiB, drop-new`. */
export function describeQueue({ capacity, capacityBytes, overflow }: PlannedQueue): string {
  const parts = [`${capacity} item${capacity === 1 ? '' : 's'}`, describeBytes(capacityBytes)]
  if (overflow !== 'block') parts.push(overflow)
  return parts.join(', ')
}

/** Which of the outputs of its stage take this queue. */
export function labelOf({ branch, kind }: PlannedQueue): string | undefined {
  return kind === 'dead-letters' ? 'failed' : branch
}

function describeWorkers(host: 'thread' | 'process', workers: number, maxWorkers: number): string {
  const most = maxWorkers > workers ? ` to ${maxWorkers}` : ''
  const plural = host === 'thread' ? 's' : 'es'
  return `${workers}${most} ${host}${maxWorkers === 1 ? '' : plural}`
}

function describeBatch({ size, bytes, withinMs, isKeyed }: PlannedBatch): string {
  const parts = [`batches of ${size}`]
  if (bytes !== undefined) parts.push(`or ${describeBytes(bytes)}`)
  if (withinMs !== undefined) parts.push(`within ${withinMs} ms`)
  if (isKeyed) parts.push('by key')
  return parts.join(' ')
}

function describePolicy({ rateLimit, retry, onError, timeoutMs, checkpoint }: PlannedStage): string[] {
  const parts: string[] = []
  if (rateLimit !== undefined) parts.push(`at most ${rateLimit.items} in ${rateLimit.perMs} ms`)
  if (timeoutMs !== undefined) parts.push(`${timeoutMs} ms each`)
  if (retry !== undefined) parts.push(retry.attempts === 1 ? '1 try' : `${retry.attempts} tries`)
  if (onError === 'skip') parts.push('skips failures')
  if (checkpoint !== undefined) parts.push('checkpoint')
  return parts
}

function describeBytes(bytes: number): string {
  if (bytes >= 2 ** 20) return `${round(bytes / 2 ** 20)} MiB`
  return bytes >= 2 ** 10 ? `${round(bytes / 2 ** 10)} KiB` : `${bytes} bytes`
}

function round(number: number): number {
  return Math.round(number * 10) / 10
}
