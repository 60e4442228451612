/** The three forms of put and of get as one call each, so that a test can be run over all of them. */
import type { BoundedQueue } from '../../src/index.ts'
import { EMPTY, SENTINEL } from '../../src/index.ts'
import { turn } from './turn.ts'

export const PUT_FORMS = ['put', 'putSync', 'tryPut'] as const
export const GET_FORMS = ['get', 'getSync', 'tryGet'] as const
export type PutForm = (typeof PUT_FORMS)[number]
export type GetForm = (typeof GET_FORMS)[number]

/** Puts it, waiting for room in the way of the form; `tryPut` tries again at every turn of the event loop. */
export async function putAs(queue: BoundedQueue, form: PutForm, item: unknown): Promise<string> {
  if (form === 'put') return queue.put(item)
  if (form === 'putSync') return queue.putSync(item)
  for (;;) {
    const result = queue.tryPut(item)
    if (result !== 'full') return result
    await turn()
  }
}

/** Gets the next item, waiting for it in the way of the form. */
export async function getAs(queue: BoundedQueue, form: GetForm): Promise<unknown> {
  if (form === 'get') return queue.get()
  if (form === 'getSync') return queue.getSync()
  for (;;) {
    const item = queue.tryGet()
    if (item !== EMPTY) return item
    await turn()
  }
}

/** Puts `[producer, number]` for each number below `count`, then SENTINEL; the last result. */
export async function produce(
  queue: BoundedQueue,
  form: PutForm,
  producer: number,
  count: number,
): Promise<string> {
  for (let number = 0; number < count; number++) {
    const result = await putAs(queue, form, [producer, number])
    if (result !== 'ok') return result
  }
  return putAs(queue, form, SENTINEL)
}

/** Gets until SENTINEL; everything it got. */
export async function consume(queue: BoundedQueue, form: GetForm): Promise<unknown[]> {
  const got: unknown[] = []
  for (;;) {
    const item = await getAs(queue, form)
    if (item === SENTINEL) return got
    got.push(item)
  }
}
