import assert from 'node:assert/strict'
import process from 'node:process'
import { AWAKE, Doorbell } from '../../src/queue/doorbell.ts'
import { ANSWERED, ASKED, ASKER_BELL, WORDS, WORKER_BELL } from '../support/bell-words.ts'
import { runChild } from '../support/child.ts'
import { test } from '../support/harness.ts'
import { exited, startWorker } from '../support/threads.ts'
import { turn, until } from '../support/turn.ts'

function newWords(): { memory: SharedArrayBuffer; words: Int32Array } {
  const memory = new SharedArrayBuffer(WORDS * 4)
  return { memory, words: new Int32Array(memory) }
}

function newBell(): Doorbell {
  return new Doorbell(newWords().words, 0)
}

for (const [how, spins, rounds] of [
  ['sync', 0, 20_000],
  ['sync', 50, 20_000],
  ['async', 0, 5_000],
] as const) {
  test(`no wake-up is lost between a blocking thread and one that waits ${how}, ${spins} spins`, async () => {
    const { memory } = newWords()
    const data = { memory, rounds, how, spins }
    const threads = [startWorker('bell-worker', data), startWorker('bell-asker', data)]
    assert.deepEqual(await Promise.all(threads.map(exited)), [0, 0])
    assert.equal(new Int32Array(memory)[ANSWERED], rounds)
  })
}

test('no wake-up is lost between the event loop and a blocking thread', async () => {
  const { memory, words } = newWords()
  const rounds = 5_000
  const worker = startWorker('bell-worker', { memory, rounds, how: 'sync', spins: 0 })
  const [mine, theirs] = [new Doorbell(words, ASKER_BELL), new Doorbell(words, WORKER_BELL)]
  const gone = exited(worker)
  for (let round = 1; round <= rounds; round++) {
    Atomics.store(words, ASKED, round)
    theirs.ring()
    assert.ok(await mine.wait(() => Atomics.load(words, ANSWERED) >= round))
  }
  assert.equal(await gone, 0)
})

test('a wait for what is so already does not wait', async () => {
  const bell = newBell()
  assert.equal(
    bell.waitSync(() => true, 0),
    true,
  )
  assert.equal(await bell.wait(() => true, 0), true)
  assert.equal(bell.wakeUps, 0)
})

test('a wait without success ends after its timeout, not before; 0 does not wait', async () => {
  const bell = newBell()
  for (const timeoutMs of [0, 1, 30]) {
    for (const form of ['waitSync', 'wait'] as const) {
      const since = performance.now()
      assert.equal(await bell[form](() => false, timeoutMs), false)
      const elapsedMs = performance.now() - since
      assert.ok(elapsedMs >= timeoutMs - 1, `${elapsedMs} ms instead of ${timeoutMs}`)
      assert.ok(elapsedMs < timeoutMs + 1_000, `${elapsedMs} ms instead of ${timeoutMs}`)
    }
  }
})

test('a blocked thread leaves its bell awake, so that ringing it costs nothing more', () => {
  const bell = newBell()
  bell.waitSync(() => false, 1)
  assert.equal(bell.isAsleep, false)
})

test('a ring for nothing is slept through', async () => {
  const bell = newBell()
  let isSo = false
  let isDone = false
  const waiting = bell.wait(() => isSo).then(() => (isDone = true))
  for (let ring = 0; ring < 20; ring++) {
    await until(() => bell.isAsleep)
    bell.ring()
    await turn()
    assert.equal(isDone, false)
  }
  await until(() => bell.isAsleep)
  isSo = true
  bell.ring()
  await waiting
  assert.ok(bell.wakeUps >= 20)
})

test('a sleeper whose ringer died before it notified is woken by a ring anyway', async () => {
  const { words } = newWords()
  const bell = new Doorbell(words, 0)
  let isSo = false
  const waiting = bell.wait(() => isSo)
  await turn()
  // All that a ringer got done that was killed between its two steps.
  assert.equal(Atomics.compareExchange(words, 0, 1, 0), 1)
  isSo = true
  bell.ring()
  await turn()
  assert.equal(bell.isAwake, true, 'an ordinary ring believes the bell')
  bell.ringAnyway()
  assert.equal(await waiting, true)
})

test('several waits on one bell each end when their own condition is met', async () => {
  const bell = newBell()
  const met = [false, false, false]
  const ended: number[] = []
  const waits = met.map((_, index) => bell.wait(() => met[index]).then(() => ended.push(index)))
  for (const index of [1, 0, 2]) {
    await turn()
    assert.ok(bell.isAsleep)
    met[index] = true
    bell.ring()
    await waits[index]
  }
  assert.deepEqual(ended, [1, 0, 2])
})

test('a blocking wait beside a pending one of the same thread leaves that one its ring', async () => {
  const bell = newBell()
  let isSo = false
  const waiting = bell.wait(() => isSo)
  assert.equal(
    bell.waitSync(() => false, 5),
    false,
  )
  isSo = true
  bell.ring()
  assert.equal(await waiting, true)
})

test('a wait that timed out does not take the ring of the next one', async () => {
  const bell = newBell()
  assert.equal(await bell.wait(() => false, 1), false)
  let isSo = false
  const waiting = bell.wait(() => isSo, 10_000)
  await turn()
  isSo = true
  bell.ring()
  assert.equal(await waiting, true)
})

test('a timeout longer than a timer can be is waited for quietly', async () => {
  const warnings: string[] = []
  const hear = (warning: Error) => warnings.push(warning.name)
  process.on('warning', hear)
  const bell = newBell()
  let isSo = false
  const waiting = bell.wait(() => isSo, 2 ** 40)
  for (let count = 0; count < 20; count++) await turn()
  const { wakeUps } = bell
  isSo = true
  bell.ring()
  assert.equal(await waiting, true)
  await turn()
  process.off('warning', hear)
  assert.deepEqual(warnings, [])
  assert.ok(wakeUps <= 1, `it woke ${wakeUps} times for nothing`)
})

test('a waiter that may spin looks that often before it sleeps, and less often when that did not help', () => {
  const bell = newBell()
  const looksOf = (isSoAfter: number): number => {
    let looks = 0
    bell.waitSync(() => ++looks > isSoAfter, 0)
    return looks
  }
  bell.allowSpinning(100)
  assert.equal(looksOf(60), 61, 'seen while spinning')
  assert.equal(bell.isAsleep, false)
  assert.equal(looksOf(Number.POSITIVE_INFINITY), 101, 'all turns, then one look before sleeping')
  assert.equal(looksOf(Number.POSITIVE_INFINITY), 51)
  for (let wait = 0; wait < 10; wait++) looksOf(Number.POSITIVE_INFINITY)
  assert.ok(looksOf(Number.POSITIVE_INFINITY) < 20)
  const later = Array.from({ length: 30 }, () => looksOf(Number.POSITIVE_INFINITY))
  assert.deepEqual(
    later.filter((looks) => looks > 20),
    [101, 101],
    'one wait in fifteen looks as long as it may',
  )
  while (looksOf(60) !== 61);
  assert.equal(looksOf(Number.POSITIVE_INFINITY), 101, 'and when that helps, so does the next')
})

test('a waiter that may spin does so before it dozes', () => {
  const bell = newBell()
  bell.allowSpinning(100)
  let looks = 0
  const states: number[] = []
  bell.dozeSync(() => {
    states.push(bell.sleep)
    return ++looks > 60
  })
  assert.equal(looks, 61)
  assert.deepEqual([...new Set(states)], [AWAKE], 'nobody is told of a doze that is not needed')
  assert.equal(bell.wakeUps, 0)
})

test('a waiter that may not spin looks once before it sleeps', () => {
  let looks = 0
  newBell().waitSync(() => ++looks > 5, 0)
  assert.equal(looks, 1)
})

test('a wait on the event loop keeps the process alive, and no longer than it lasts', async () => {
  const { code, stdout, stderr } = await runChild(`
    import { Worker } from 'node:worker_threads'
    import { Doorbell } from 'src/queue/doorbell.ts'
    const words = new Int32Array(new SharedArrayBuffer(128))
    const ringer = "const { workerData: w } = require('node:worker_threads'); w[20] = 1;" +
      "while (Atomics.load(w, 0) !== 1); Atomics.store(w, 0, 0); Atomics.notify(w, 0)"
    new Worker(ringer, { eval: true, workerData: words, execArgv: [] }).unref()
    await new Doorbell(words, 0).wait(() => Atomics.load(words, 20) === 1)
    console.log('rung')
  `)
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'rung\n', stderr: '' })
})

test('a doze ends by itself, and is not begun where it is worth waking already', () => {
  const bell = newBell()
  bell.dozeSync(() => false)
  assert.deepEqual([bell.isAsleep, bell.isDozing, bell.wakeUps], [false, false, 1])
  bell.dozeSync(() => true)
  assert.deepEqual([bell.isAsleep, bell.isDozing, bell.wakeUps], [false, false, 1])
})

test('a doze beside a pending wait of the same thread leaves that one asleep, to be rung by everyone', async () => {
  const bell = newBell()
  let isSo = false
  const waiting = bell.wait(() => isSo)
  bell.dozeSync(() => false)
  assert.deepEqual([bell.isAsleep, bell.isDozing], [true, false])
  isSo = true
  bell.ring()
  assert.equal(await waiting, true)
})

test('one sleep ends with the first ring, whatever it was for', () => {
  const bell = newBell()
  let looks = 0
  bell.sleepSync(() => {
    looks++
    bell.ring()
    return false
  })
  assert.deepEqual([looks, bell.isAwake], [1, true])
  bell.sleepSync(() => true)
  assert.equal(bell.isAwake, true)
})
