import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import { Worker } from 'node:worker_threads'
import { readWorkerStack } from '../../src/run/worker-stack.ts'
import { test } from '../support/harness.ts'
import { until } from '../support/turn.ts'

const FOLDER = mkdtempSync(path.join(tmpdir(), 'millrace-stack-'))
after(() => rmSync(FOLDER, { recursive: true }))

/** Words: 0 set by the worker when it is where it is to be seen, 1 set by the test to let it go, 2 counts. */
const START = "const words = new Int32Array(require('node:worker_threads').workerData)\n"
const LOOP = `${START}function spin(words) {
  words[0] = 1
  while (Atomics.load(words, 1) === 0) words[2]++
}
function outer() { spin(words) }
outer()
require('node:worker_threads').parentPort.postMessage('done')
`
const BLOCKED = `${START}words[0] = 1
Atomics.wait(words, 1, 0)
for (let n = 0; n < 100; n++) words[2]++
require('node:worker_threads').parentPort.postMessage('done')
`
/** Reads a pipe to which nobody writes. */
const NATIVE = `${START}words[0] = 1
require('node:fs').readFileSync(__dirname + '/pipe')
for (let n = 0; n < 100; n++) words[2]++
require('node:worker_threads').parentPort.postMessage('done')
`
const IDLE = `${START}const { parentPort } = require('node:worker_threads')
words[0] = 1
parentPort.on('message', (message) => {
  if (message === 'end') parentPort.close()
  else parentPort.postMessage(message + 1)
})
`

async function startProgram(name: string, code: string) {
  const file = path.join(FOLDER, `${name}.cjs`)
  writeFileSync(file, code)
  const words = new Int32Array(new SharedArrayBuffer(16))
  const worker = new Worker(file, { workerData: words.buffer, execArgv: [] })
  const exited = once(worker, 'exit')
  await until(() => Atomics.load(words, 0) === 1)
  const release = (): void => {
    Atomics.store(words, 1, 1)
    Atomics.notify(words, 1)
  }
  return { file, words, worker, exited, release }
}

test('the stack of a worker in a loop names functions, files and lines, and the loop goes on', async () => {
  const { file, words, worker, exited, release } = await startProgram('loop', LOOP)
  const stack = await readWorkerStack(worker.threadId, 5000)
  const lines = stack?.split('\n') ?? []
  assert.match(lines[0], /^at spin \(.*loop\.cjs:[2345]:\d+\)$/)
  assert.ok(lines[0].includes(file))
  assert.match(lines[1], /^at outer \(.*loop\.cjs:6:\d+\)$/)
  assert.ok(lines.every((line) => !line.includes('node:')))
  const count = Atomics.load(words, 2)
  await until(() => Atomics.load(words, 2) !== count)
  release()
  assert.deepEqual(await once(worker, 'message'), ['done'])
  await exited
})

test('it can be asked for again, and several workers are told apart', async () => {
  const one = await startProgram('one', LOOP)
  const other = await startProgram(
    'other',
    LOOP.replace('function spin', 'function turn').replace('{ spin', '{ turn'),
  )
  for (const round of [1, 2]) {
    const [first, second] = await Promise.all([
      readWorkerStack(one.worker.threadId, 5000),
      readWorkerStack(other.worker.threadId, 5000),
    ])
    assert.match(first ?? '', /^at spin .*one\.cjs/, `round ${round}`)
    assert.match(second ?? '', /^at turn .*other\.cjs/, `round ${round}`)
  }
  for (const { release, exited } of [one, other]) {
    release()
    await exited
  }
})

test('a worker is never left held, however late or early the time is over', async () => {
  const { words, worker, exited, release } = await startProgram('hurried', LOOP)
  for (let round = 0; round < 100; round++) {
    await readWorkerStack(worker.threadId, round % 10)
    const count = Atomics.load(words, 2)
    await until(() => Atomics.load(words, 2) !== count)
  }
  release()
  assert.deepEqual(await once(worker, 'message'), ['done'])
  await exited
})

test('no timer is touched where the inspector interrupts this thread: it may be the one that is about to be called', async (t) => {
  const { worker, exited, release } = await startProgram('interrupting', LOOP)
  const touched: string[] = []
  let isInside = false
  const { emit } = Session.prototype
  t.mock.method(Session.prototype, 'emit', function (this: Session, ...args: Parameters<typeof emit>) {
    isInside = true
    const result = emit.apply(this, args)
    isInside = false
    return result
  })
  for (const name of ['clearTimeout', 'setTimeout'] as const) {
    const original = globalThis[name] as (...args: unknown[]) => unknown
    t.mock.method(globalThis, name, (...args: unknown[]) => {
      if (isInside) touched.push(name)
      return original(...args)
    })
  }
  assert.match((await readWorkerStack(worker.threadId, 5000)) ?? '', /^at spin/)
  t.mock.restoreAll()
  assert.deepEqual(touched, [])
  release()
  await exited
})

test('a worker that was asked can be terminated', async () => {
  const { worker, exited } = await startProgram('terminated', LOOP)
  assert.notEqual(await readWorkerStack(worker.threadId, 5000), undefined)
  await worker.terminate()
  await exited
})

test('a worker that waits for a word of shared memory has a stack, and waits on', async () => {
  const { worker, exited, release } = await startProgram('waiting', BLOCKED)
  assert.match((await readWorkerStack(worker.threadId, 5000)) ?? '', /^at .*waiting\.cjs:3:\d+/)
  release()
  assert.deepEqual(await once(worker, 'message'), ['done'])
  await exited
})

const noPipes = process.platform === 'win32'

test('a worker in native code gives no stack, and goes on when that returns', { skip: noPipes }, async () => {
  const pipe = path.join(FOLDER, 'pipe')
  execFileSync('mkfifo', [pipe])
  const { words, worker, exited } = await startProgram('native', NATIVE)
  assert.equal(await readWorkerStack(worker.threadId, 50), undefined)
  writeFileSync(pipe, 'x')
  assert.deepEqual(await once(worker, 'message'), ['done'])
  assert.equal(words[2], 100)
  await exited
})

test('a worker that waits for messages works on as before', async () => {
  const { worker, exited } = await startProgram('idle', IDLE)
  // It comes to wait only after it has said where it is; until then it has the stack of its beginning.
  while ((await readWorkerStack(worker.threadId, 50)) !== undefined);
  for (const number of [1, 2, 3]) {
    worker.postMessage(number)
    assert.deepEqual(await once(worker, 'message'), [number + 1])
  }
  worker.postMessage('end')
  await exited
})

test('there is no stack of a thread that is not there', async () => {
  assert.equal(await readWorkerStack(1e6, 5000), undefined)
})

test('asking leaves the other workers alone', async () => {
  const loop = await startProgram('asked', LOOP)
  const idle = await startProgram('bystander', IDLE)
  assert.notEqual(await readWorkerStack(loop.worker.threadId, 5000), undefined)
  idle.worker.postMessage(1)
  assert.deepEqual(await once(idle.worker, 'message'), [2])
  idle.worker.postMessage('end')
  loop.release()
  await Promise.all([loop.exited, idle.exited])
})
