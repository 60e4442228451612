/**
 * `test` of node:test, with a deadline that tells what waits on what, and a check that nothing is left behind.
 *
 * Use it for every test that starts threads, waits, or sets timers. The tests of a file run one after the other.
 */
import assert from 'node:assert/strict'
import { subscribe } from 'node:diagnostics_channel'
import process from 'node:process'
import { test as nodeTest, type TestContext } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { BoundedQueue } from '../../src/index.ts'
import { endUntils, turn } from './turn.ts'

export interface TestOptions {
  /** Default 20 s. */
  deadlineMs?: number
  skip?: boolean | string
}

export type TestBody = (t: TestContext) => unknown

/** What a run can be asked; a `PipelineManager` of any type of output. */
interface WatchedRun {
  diagnose(): string
  diagnosis: object
  state: string
  abort(reason?: unknown): void
}

type Watched = WatchedRun | BoundedQueue

const DEADLINE_MS = 20_000
/** A thread that was told to end, a handle that was told to close, may take this long. */
const SETTLE_MS = 150

const liveWorkers = new Set<Worker>()
const unhandled: unknown[] = []
/** Others that may be why a test is late; each tells how it stands. */
export const lateTellers = new Set<() => Promise<string>>()
let watched: Watched[] = []
const liveRuns = new Set<WatchedRun & { on(event: 'state', listener: (state: string) => void): unknown }>()

process.on('worker', (worker: Worker) => {
  liveWorkers.add(worker)
  worker.once('exit', () => liveWorkers.delete(worker))
})
// Every run of this thread, also those that a test started out of our sight.
subscribe('millrace:run:start', (message) => {
  const { run } = message as { run: typeof liveRuns extends Set<infer Run> ? Run : never }
  liveRuns.add(run)
  run.on('state', (state) => {
    if (state === 'ended') liveRuns.delete(run)
  })
})
process.on('unhandledRejection', (reason) => unhandled.push(reason))
// Opened at first use; not what a test leaves behind.
void process.stdout
void process.stderr

/** A late test tells how this run or queue stands. Gives it back. */
export function watch<T extends Watched>(subject: T): T {
  watched.push(subject)
  return subject
}

/** @param name a sentence about behaviour */
export function test(name: string, body: TestBody): void
export function test(name: string, options: TestOptions, body: TestBody): void
export function test(name: string, given: TestOptions | TestBody, maybeBody?: TestBody): void {
  const options = typeof given === 'function' ? {} : given
  const body = typeof given === 'function' ? given : (maybeBody as TestBody)
  void nodeTest(name, { skip: options.skip ?? false }, async (t) => {
    await forgetHookThreads()
    const before = stateOfProcess()
    try {
      await inTime(() => body(t), options.deadlineMs ?? DEADLINE_MS)
      await assertNothingLeft(before)
    } finally {
      await cleanUp()
    }
  })
}

let isFirst = true

/** Node 22 tells of the thread of its module hooks too, which is there before the first test. */
async function forgetHookThreads(): Promise<void> {
  if (!isFirst) return
  isFirst = false
  await turn()
  liveWorkers.clear()
}

async function inTime(action: () => unknown, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(async () => {
      const here = explain()
      const elsewhere = await Promise.all([...lateTellers].map((tell) => tell()))
      reject(new Error([`not done after ${deadlineMs} ms`, here, ...elsewhere].join('\n')))
    }, deadlineMs)
  })
  try {
    await Promise.race([action(), late])
  } finally {
    clearTimeout(timer)
  }
}

/** What waits on what, as far as the test let us know. */
function explain(): string {
  const threads = [...liveWorkers].map((worker) => worker.threadId)
  const lines = [
    `live threads: ${threads.join(', ') || 'none'}`,
    `resources: ${activeResources().join(', ')}`,
  ]
  const subjects = new Set<Watched>([...liveRuns, ...watched])
  for (const subject of subjects) lines.push(describe(subject))
  return lines.join('\n')
}

function describe(subject: Watched): string {
  if (!(subject instanceof BoundedQueue)) return `${subject.diagnose()}\n${JSON.stringify(subject.diagnosis)}`
  const { memory } = subject
  const ends: string[] = []
  for (const [role, count] of [
    ['producer', memory.producers],
    ['consumer', memory.consumers],
  ] as const) {
    for (let index = 0; index < count; index++) {
      const state = ['idle', 'open', 'done', 'gone'][memory.state(role, index)]
      ends.push(`${role} ${index} ${state}${memory.doorbell(role, index).isAsleep ? ' asleep' : ''}`)
    }
  }
  const closed = subject.isClosed ? ', closed' : ''
  const counts = `${subject.level} of ${subject.capacity} items, ${subject.passed} passed`
  return `queue: ${counts}${closed}, stop "${subject.stop.level}", ${ends.join(', ')}`
}

interface ProcessState {
  resources: string[]
  exitCode: unknown
  signalListeners: number
}

function stateOfProcess(): ProcessState {
  return { resources: activeResources(), exitCode: process.exitCode, signalListeners: countSignalListeners() }
}

async function assertNothingLeft(before: ProcessState): Promise<void> {
  await settled(before)
  const threads = [...liveWorkers].map((worker) => worker.threadId)
  assert.deepEqual(threads, [], 'the test left threads behind (their ids)')
  assert.deepEqual(newResources(before), [], 'the test left handles or timers behind')
  assert.deepEqual(unhandled, [], 'a promise was rejected and nobody heard it')
  assert.equal(process.exitCode, before.exitCode, 'the test changed process.exitCode')
  assert.equal(countSignalListeners(), before.signalListeners, 'the test left signal handlers behind')
}

/** Gives what is ending the turns of the event loop that it needs. */
async function settled(before: ProcessState): Promise<void> {
  const deadline = performance.now() + SETTLE_MS
  do await turn()
  while ((liveWorkers.size > 0 || newResources(before).length > 0) && performance.now() < deadline)
}

/** Ends what a failed test left running, so that the tests after it are judged by themselves. */
async function cleanUp(): Promise<void> {
  endUntils()
  for (const subject of watched) {
    if (subject instanceof BoundedQueue) subject.stop.set('abort')
    else subject.abort('the test is over')
  }
  for (const run of liveRuns) run.abort('the test is over')
  liveRuns.clear()
  watched = []
  unhandled.length = 0
  await Promise.all([...liveWorkers].map((worker) => worker.terminate()))
  // What was told to end lets go of its timers before the next test takes stock.
  await turn()
  await turn()
}

/** Handles, requests and timers that keep the process alive; not writes to the reporter that are under way. */
function activeResources(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => kind !== 'WriteWrap' && kind !== 'Immediate')
}

function newResources(before: ProcessState): string[] {
  const old = [...before.resources]
  return activeResources().filter((kind) => {
    const index = old.indexOf(kind)
    if (index >= 0) old.splice(index, 1)
    return index < 0
  })
}

function countSignalListeners(): number {
  return process.listenerCount('SIGINT') + process.listenerCount('SIGTERM')
}
