// A run inside an application: fed by `input`, read by `for await`.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { type MillraceError, PipelineError, pipeline, start } from '../../src/index.ts'
import { RunOutput } from '../../src/run/run-output.ts'
import forms from '../fixtures/pipelines/forms.ts'
import { test, watch } from '../support/harness.ts'

const work = { form: 'sync', on: 'thread' } as const

function* numbers(): Generator<number> {
  for (let number = 1; ; number++) yield number
}

async function collect<T>(run: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of run) all.push(item)
  return all
}

test('input may be an array, a generator, an async generator or a Readable', async () => {
  async function* later() {
    yield 1
    await new Promise((resolve) => setImmediate(resolve))
    yield 2
  }
  for (const input of [[1, 2], new Set([1, 2]), later(), Readable.from([1, 2])]) {
    assert.deepEqual(await collect(watch(start(forms, work, { input }))), [10, 20])
  }
})

test('breaking out of the loop stops upstream, and the run completes', async () => {
  const run = watch(start(forms, work, { input: numbers() }))
  const taken: number[] = []
  for await (const output of run) {
    taken.push(output)
    if (taken.length === 5) break
  }
  assert.deepEqual(taken, [10, 20, 30, 40, 50])
  assert.equal(run.state, 'ended')
  const report = await run.join()
  assert.equal(report.outcome, 'completed')
  assert.equal(report.stages.at(-1)?.out, 5)
})

test('breaking out ends a run whose input waits for ever', async () => {
  async function* stuck() {
    yield 1
    await new Promise(() => {})
  }
  const run = watch(start(forms, work, { input: stuck() }))
  for await (const output of run) {
    assert.equal(output, 10)
    break
  }
  assert.equal((await run.join()).outcome, 'completed')
})

test('a drain ends the loop after what was read', async () => {
  const run = watch(start(forms, work, { input: numbers() }))
  let last = 0
  for await (const output of run) {
    if (last === 100) run.drain()
    assert.equal(output, last + 10)
    last = output
  }
  const report = await run.join()
  assert.equal(report.outcome, 'drained')
  assert.equal(report.stages[0].out * 10, last)
})

test('the loop throws when the run fails, and tells which stage', async () => {
  async function* broken() {
    yield 1
    throw new Error('no more input')
  }
  const run = watch(start(forms, work, { input: broken() }))
  await assert.rejects(collect(run), (error: PipelineError) => {
    assert.ok(error instanceof PipelineError)
    assert.match(error.message, /stage "input" failed to read: Error: no more input/)
    return true
  })
  await assert.rejects(run.join(), { code: 'MILLRACE_RUN_FAILED' })
})

test('joining a run whose outputs nobody reads is an error that says how to, not a hang', async () => {
  const run = watch(start(forms, work, { input: numbers() }))
  await assert.rejects(
    run.join(),
    /nobody reads its outputs: read the outputs with "for await" before, or at the same time as, join\(\)/,
  )
})

test('calls of next() that wait at the same time get an item each, in their order, then the end', async () => {
  const run = watch(start(forms, work, { input: [1, 2, 3] }))
  const outputs = run[Symbol.asyncIterator]()
  const steps = await Promise.all(Array.from({ length: 5 }, () => outputs.next()))
  assert.deepEqual(
    steps.map(({ value }) => value),
    [10, 20, 30, undefined, undefined],
  )
  assert.deepEqual(
    steps.map(({ done }) => done),
    [false, false, false, true, true],
  )
})

test('calls of next() that wait when the run fails all throw its error', async () => {
  // biome-ignore lint/correctness/useYield: it fails before its first item
  async function* broken(): AsyncGenerator<number> {
    throw new Error('no input')
  }
  const run = watch(start(forms, work, { input: broken() }))
  const outputs = run[Symbol.asyncIterator]()
  for (const step of await Promise.allSettled([outputs.next(), outputs.next(), outputs.next()])) {
    assert.match(step.status === 'rejected' ? step.reason.message : '', /stage "input" failed to read/)
  }
})

test('however many items are read, the end of the run is listened to once', async () => {
  let listeners = 0
  class Counted<T> extends Promise<T> {
    // biome-ignore lint/suspicious/noThenProperty: it counts those who listen
    override then<A, B>(
      done?: ((value: T) => A | PromiseLike<A>) | null,
      failed?: ((reason: unknown) => B | PromiseLike<B>) | null,
    ): Promise<A | B> {
      listeners++
      return super.then(done, failed)
    }
  }
  const output = new RunOutput<number>(new Counted(() => {}), () => {})
  for (let number = 0; number < 100; number++) {
    const step = output.next()
    output.body(number)
    assert.deepEqual(await step, { done: false, value: number })
  }
  assert.equal(listeners, 1)
})

for (const what of ['./words.ts', '../words.ts', 'words.ts', 'words', undefined, {}, 5]) {
  test(`start refuses what leads to no pipeline: ${JSON.stringify(what)}`, async () => {
    const run = start(what as string)
    await assert.rejects(run.join(), (error: MillraceError) => {
      assert.equal(error.code, 'MILLRACE_INVALID_OPTION')
      assert.match(
        error.message,
        /^start\(\) needs a URL, an absolute path or what definePipeline returned, got /,
      )
      return true
    })
  })
}

test('start says how to write a relative path', async () => {
  await assert.rejects(start('./words.ts').join(), /; write new URL\('\.\/words\.ts', import\.meta\.url\)$/)
  await assert.rejects(start('words.ts').join(), /; write new URL\('\.\/words\.ts', import\.meta\.url\)$/)
})

test('start takes a URL, its text, and an absolute path, whatever is in it', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-ä % #-'))
  try {
    const file = path.join(folder, 'a ?.mjs')
    const url = new URL('../../src/index.ts', import.meta.url).href
    writeFileSync(
      file,
      `import { pipeline } from '${url}'\nexport default pipeline('p').source('a', [1, 2], { on: 'loop' })`,
    )
    for (const what of [pathToFileURL(file), pathToFileURL(file).href, file]) {
      assert.deepEqual(await collect(watch(start(what))), [1, 2])
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('an aborted run ends the loop', async () => {
  const run = watch(start(forms, work, { input: numbers() }))
  let taken = 0
  for await (const _ of run) if (++taken === 3) run.abort('enough')
  const report = await run.join()
  assert.equal(report.outcome, 'aborted')
})

test('a pipeline on the loop needs no module', async () => {
  const upper = pipeline<string>('upper').stage('upper', (text) => text.toUpperCase(), { on: 'loop' })
  assert.deepEqual(await collect(watch(start(upper, {}, { input: ['a', 'b'] }))), ['A', 'B'])
})

test('two runs of one pipeline do not disturb each other', async () => {
  const runs = [1, 2].map(() => collect(watch(start(forms, work, { input: [1, 2, 3] }))))
  assert.deepEqual(await Promise.all(runs), [
    [10, 20, 30],
    [10, 20, 30],
  ])
})
