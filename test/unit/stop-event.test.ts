import assert from 'node:assert/strict'
import { once } from 'node:events'
import { StopEvent, type StopHandle } from '../../src/queue/stop-event.ts'
import { runChild } from '../support/child.ts'
import { test } from '../support/harness.ts'
import { Actor } from '../support/threads.ts'
import { turn } from '../support/turn.ts'

test('the level only grows, and set tells whether it was this call that raised it', () => {
  const stop = new StopEvent()
  assert.deepEqual([stop.level, stop.isSet, stop.isDraining], ['run', false, false])
  assert.equal(stop.set('drain'), true)
  assert.deepEqual([stop.level, stop.isSet, stop.isDraining], ['drain', false, true])
  assert.equal(stop.set('drain'), false)
  assert.equal(stop.set(), true)
  assert.deepEqual([stop.level, stop.isSet, stop.isDraining], ['abort', true, true])
  assert.equal(stop.set('drain'), false)
  assert.equal(stop.set('abort'), false)
  assert.equal(stop.level, 'abort')
})

test('setting it rings every doorbell on its board', async () => {
  const stop = new StopEvent({ doorbells: 3 })
  const bells = [0, 1, 2].map(() => stop.doorbell(stop.takeDoorbell()))
  const waits = bells.map((bell) => bell.wait(() => stop.isDraining))
  await turn()
  assert.ok(bells.every((bell) => bell.isAsleep))
  stop.set('drain')
  assert.deepEqual(await Promise.all(waits), [true, true, true])
})

test('ringing all wakes also the sleeper whose ringer died between setting its bell and notifying it', async () => {
  const stop = new StopEvent({ doorbells: 1 })
  const bell = stop.doorbell(stop.takeDoorbell())
  const words = new Int32Array(stop.handle.board)
  let isSo = false
  const waiting = bell.wait(() => isSo)
  await turn()
  assert.equal(Atomics.compareExchange(words, 16, 1, 0), 1)
  isSo = true
  stop.ringAll()
  assert.equal(await waiting, true)
})

test('it has as many doorbells as were asked for', () => {
  const stop = new StopEvent({ doorbells: 2 })
  assert.deepEqual([stop.takeDoorbell(), stop.takeDoorbell()], [0, 1])
  for (let attempt = 0; attempt < 2; attempt++) {
    assert.throws(() => stop.takeDoorbell(), { code: 'MILLRACE_INVALID_OPTION', option: 'doorbells' })
  }
  stop.set()
  for (const doorbells of [0, -1, 1.5, Number.NaN, '3']) {
    assert.throws(() => new StopEvent({ doorbells: doorbells as number }), {
      code: 'MILLRACE_INVALID_OPTION',
      message: /stop event: doorbells must be a positive integer, got /,
    })
  }
})

test('its signals fire each at its level, once, whoever set it', async () => {
  const stop = new StopEvent()
  const other = StopEvent.from(stop.handle)
  const fired: string[] = []
  stop.signalAt('drain').addEventListener('abort', () => fired.push('drain'))
  stop.signal.addEventListener('abort', () => fired.push('abort'))
  assert.equal(stop.signal, stop.signalAt('abort'))
  other.set('drain')
  await once(stop.signalAt('drain'), 'abort')
  await turn()
  assert.deepEqual(fired, ['drain'])
  assert.equal(stop.signal.aborted, false)
  other.set('abort')
  await once(stop.signal, 'abort')
  await turn()
  assert.deepEqual(fired, ['drain', 'abort'])
  assert.equal(stop.signal.reason.code, 'MILLRACE_ABORTED')
})

test('an abort fires the signal for the drain too', async () => {
  const stop = new StopEvent()
  const drained = once(stop.signalAt('drain'), 'abort')
  stop.set('abort')
  await drained
})

test('a signal asked for after the level was reached is aborted already', () => {
  const stop = new StopEvent()
  stop.set('drain')
  assert.equal(stop.signalAt('drain').aborted, true)
  assert.equal(stop.signal.aborted, false)
  stop.set()
  assert.equal(new StopEvent(stop.handle).signal.aborted, true)
})

test('after release the signals fire no more', async () => {
  const stop = new StopEvent()
  const { signal } = stop
  await turn()
  stop.release()
  await turn()
  stop.set()
  for (let count = 0; count < 5; count++) await turn()
  assert.equal(signal.aborted, false)
  assert.equal(stop.isSet, true)
})

test('another thread that sets it is seen here, and one that follows it hears of us', async () => {
  const stop = new StopEvent()
  const actor = new Actor({ stop: stop.handle })
  const drained = once(stop.signalAt('drain'), 'abort')
  const heard = actor.call('stopHeard')
  assert.equal(await actor.call('setStop', 'drain'), true)
  await drained
  assert.equal(stop.level, 'drain')
  stop.set('abort')
  assert.equal(await heard, 'MILLRACE_ABORTED')
  await actor.end()
})

test('one event is the same by every handle of it, and another is not', () => {
  const stop = new StopEvent()
  assert.ok(stop.isSameAs(StopEvent.from(stop.handle)))
  assert.ok(StopEvent.from(structuredClone(stop.handle)).isSameAs(stop))
  assert.equal(stop.isSameAs(new StopEvent()), false)
})

test('what is no handle is refused', () => {
  const { board } = new StopEvent().handle
  const wrong = [
    undefined,
    null,
    {},
    'x',
    { board },
    { kind: 'millrace.queue/1', board },
    { kind: 'millrace.stop/1' },
  ]
  for (const handle of wrong) {
    assert.throws(() => StopEvent.from(handle as StopHandle), { code: 'MILLRACE_BAD_HANDLE' })
  }
})

test('following a signal does not keep the process alive', async () => {
  const { code, stdout } = await runChild(`
    import { StopEvent } from 'src/queue/stop-event.ts'
    new StopEvent().signal.addEventListener('abort', () => console.log('aborted'))
    console.log('end of the script')
  `)
  assert.deepEqual({ code, stdout }, { code: 0, stdout: 'end of the script\n' })
})

test('many may listen to its signals without a warning of a leak', async (t) => {
  const stop = new StopEvent()
  const warnings: Error[] = []
  const listener = (warning: Error) => void warnings.push(warning)
  process.on('warning', listener)
  t.after(() => process.off('warning', listener))
  for (const level of ['drain', 'abort'] as const) {
    for (let count = 0; count < 20; count++) stop.signalAt(level).addEventListener('abort', () => {})
  }
  await new Promise(setImmediate)
  assert.deepEqual(warnings, [])
})
