import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Acks } from '../../src/host/acks.ts'
import type { Failure } from '../../src/observe/failure.ts'
import { track } from '../../src/tracked.ts'

const failureOf = (item: number, message = 'no good'): Failure => ({
  code: 'MILLRACE_STAGE_FAILED',
  stage: 's',
  worker: 0,
  item,
  message,
})

/** Adds the items, each of which tells when it is acknowledged or rejected. */
function tracking(...items: number[]) {
  const acks = new Acks()
  const told: string[] = []
  for (const item of items) {
    acks.add(
      item,
      track(item, {
        position: item * 10,
        ack: () => void told.push(`ack ${item}`),
        nack: ({ message }) => void told.push(`nack ${item}: ${message}`),
      }),
    )
  }
  return { acks, told }
}

test('items are acknowledged in order, each once, and no further than they are final', () => {
  const { acks, told } = tracking(1, 2, 4)
  assert.deepEqual(acks.settle(0), { position: undefined, errors: [] })
  assert.deepEqual(acks.settle(3), { position: 20, errors: [] })
  assert.deepEqual(told, ['ack 1', 'ack 2'])
  assert.deepEqual(acks.settle(3), { position: undefined, errors: [] })
  assert.deepEqual(acks.settle(9), { position: 40, errors: [] })
  assert.deepEqual(told, ['ack 1', 'ack 2', 'ack 4'])
  assert.equal(acks.size, 0)
})

test('an item that failed is rejected in its turn, with its first failure', () => {
  const { acks, told } = tracking(1, 2, 3)
  acks.fail(2, failureOf(2, 'first'))
  acks.fail(2, failureOf(2, 'second'))
  assert.deepEqual(told, [])
  assert.equal(acks.settle(3).position, 30)
  assert.deepEqual(told, ['ack 1', 'nack 2: first', 'ack 3'])
})

test('failures of items that are not tracked, or settled, are no matter', () => {
  const { acks, told } = tracking(1)
  acks.settle(1)
  acks.fail(1, failureOf(1))
  acks.fail(7, failureOf(7))
  acks.settle(9)
  assert.deepEqual(told, ['ack 1'])
})

test('the position is that of the newest item that has one, null too', () => {
  const acks = new Acks()
  acks.add(1, track('a', { position: null }))
  acks.add(2, track('b'))
  assert.equal(acks.settle(2).position, null)
})

test('what ack and nack throw is returned, and stops nothing', () => {
  const acks = new Acks()
  const told: number[] = []
  const bad = () => {
    throw new Error('broker is gone')
  }
  acks.add(1, track(1, { ack: bad }))
  acks.add(2, track(2, { nack: bad }))
  acks.add(3, track(3, { ack: () => told.push(3) }))
  acks.fail(2, failureOf(2))
  const { errors } = acks.settle(3)
  assert.deepEqual(errors.map(String), ['Error: broker is gone', 'Error: broker is gone'])
  assert.deepEqual(told, [3])
  assert.deepEqual(acks.settle(3).errors, [])
})

test('an ack that settles again does not have items told of twice', () => {
  const acks = new Acks()
  const told: number[] = []
  for (const item of [1, 2]) {
    acks.add(
      item,
      track(item, {
        ack: () => {
          told.push(item)
          acks.settle(2)
        },
      }),
    )
  }
  acks.settle(2)
  assert.deepEqual(told, [1, 2])
})

test('idle waits for the promises of ack, and their errors are kept', async () => {
  const acks = new Acks()
  let resolve = (): void => {}
  let reject = (_: Error): void => {}
  acks.add(1, track(1, { ack: () => new Promise<void>((settle) => (resolve = settle)) }))
  acks.add(2, track(2, { ack: () => new Promise((_, fail) => (reject = fail)) }))
  assert.deepEqual(acks.settle(2).errors, [])
  let isIdle = false
  const idle = acks.idle().then(() => {
    isIdle = true
  })
  reject(new Error('refused'))
  await Promise.resolve().then(() => {})
  assert.equal(isIdle, false)
  resolve()
  await idle
  assert.deepEqual(acks.takeErrors().map(String), ['Error: refused'])
  await acks.idle()
})
