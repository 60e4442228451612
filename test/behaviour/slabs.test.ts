// Memory that goes from stage to stage by reference.
import assert from 'node:assert/strict'
import { type DeadLetter, pipeline, type Report, start } from '../../src/index.ts'
import frames, {
  checkFrame,
  type Frame,
  type FramesOptions,
  fillFrame,
} from '../fixtures/pipelines/slab-frames.ts'
import { test, watch } from '../support/harness.ts'
import { until } from '../support/turn.ts'

const LOOP = { on: 'loop' } as const
const BYTES = 8192
/** Threads take long to start on a machine that has much else to do. */
const THREADS = { deadlineMs: 60_000 }

// biome-ignore lint/suspicious/noExplicitAny: any pipeline will do
async function outputs(blueprint: any): Promise<{ all: any[]; report: Report }> {
  const run = watch(start(blueprint))
  const all: unknown[] = []
  for await (const output of run) all.push(output)
  return { all, report: await run.join() }
}

/** Every slab has come back, and none was lost. */
function assertNoneLeft({ stages }: Report): void {
  for (const { name, slabs } of stages) {
    if (slabs !== undefined) assert.deepEqual([slabs.inUse, slabs.held], [0, 0], name)
  }
}

async function runFrames(options: FramesOptions): Promise<Report> {
  const run = watch(start(frames, options))
  let expected = 1
  for await (const { n } of run) assert.equal(n, expected++)
  const report = await run.join()
  assert.equal(expected - 1, options.frames)
  assertNoneLeft(report)
  return report
}

function camera(count: number, slabBytes = 2 ** 20) {
  return pipeline('frames').source(
    'camera',
    function* (ctx): Generator<Frame> {
      for (let n = 1; n <= count; n++) {
        const data = ctx.alloc(BYTES)
        fillFrame(data, n)
        yield { n, data }
      }
    },
    { ...LOOP, slabBytes },
  )
}

test('frames go through threads in memory that never grows beyond what is under way', THREADS, async () => {
  const report = await runFrames({ frames: 100, bytes: 2 ** 17, capacity: 2 })
  const slabs = report.stages[0].slabs
  assert.equal(slabs?.allocated, 100)
  assert.equal(slabs?.copied, 0)
  assert.ok(slabs.bytes <= 2 ** 22, `${slabs.bytes} bytes`)
})

test(
  'when all slabs are under way, a thread waits for one to come back, also one with an asynchronous source',
  THREADS,
  async () => {
    for (const isAsync of [false, true]) {
      const report = await runFrames({
        frames: 60,
        bytes: 2 ** 17,
        stages: 1,
        capacity: 16,
        slabBytes: 2 ** 18,
        isAsync,
      })
      const slabs = report.stages[0].slabs
      assert.equal(slabs?.copied, 0)
      assert.ok(slabs.waits > 0)
      assert.ok(slabs.bytes <= 2 ** 18)
    }
  },
)

test('stages of several workers make slabs of their own, in order', THREADS, async () => {
  const options = { frames: 100, bytes: 2 ** 16, stages: 2, workers: 2, makesNew: true }
  const report = await runFrames(options)
  assert.deepEqual(
    report.stages.slice(0, 3).map(({ slabs }) => slabs?.allocated),
    [100, 100, 100],
  )
})

test('what for await gives is a copy of its own', async () => {
  const { all, report } = await outputs(camera(50, 4 * BYTES))
  for (const frame of all) {
    checkFrame(frame, BYTES)
    assert.ok(frame.data.buffer instanceof ArrayBuffer)
  }
  assertNoneLeft(report)
})

test('every branch of a broadcast reads the same memory; the last one gives it back', async () => {
  const { all, report } = await outputs(
    camera(100)
      .broadcast({
        one: (branch) => branch.stage('look', (frame) => frame, LOOP),
        other: (branch) => branch.stage('look again', (frame) => frame, { ...LOOP, capacity: 2 }),
      })
      .merge(),
  )
  assert.equal(all.length, 200)
  for (const frame of all) checkFrame(frame, BYTES)
  assertNoneLeft(report)
})

test('a batch holds many, and is taken apart again', async () => {
  const { all, report } = await outputs(
    camera(100)
      .batch({ size: 7 })
      .stage('look', (batch) => batch, LOOP)
      .unbatch(),
  )
  assert.deepEqual(
    all.map(({ n }) => n),
    Array.from({ length: 100 }, (_, index) => index + 1),
  )
  for (const frame of all) checkFrame(frame, BYTES)
  assertNoneLeft(report)
})

test('batches by bytes count what lies in slabs', async () => {
  const { all } = await outputs(
    camera(40)
      .batch({ bytes: 4 * BYTES + 1000 })
      .stage('count', (batch) => batch.length, LOOP),
  )
  assert.ok(all.every((count) => count <= 4) && all[0] > 2, `${all}`)
})

test('a generator may give any number of slabs for one item', async () => {
  const { all, report } = await outputs(
    pipeline('clips')
      .source('clips', () => [1], LOOP)
      .stage(
        'frames',
        function* (_, ctx): Generator<Frame> {
          for (let n = 1; n <= 100; n++) {
            const data = ctx.alloc(BYTES)
            fillFrame(data, n)
            yield { n, data }
          }
        },
        { ...LOOP, slabBytes: 2 ** 20 },
      )
      .stage('look', (frame) => frame, LOOP),
  )
  assert.equal(all.length, 100)
  for (const frame of all) checkFrame(frame, BYTES)
  assert.equal(report.stages[1].slabs?.copied, 0, 'one after the other came back')
  assertNoneLeft(report)
})

test('slabs of items that are dropped, filtered, tried again or failed are not lost', async () => {
  const letters: DeadLetter[] = []
  const run = watch(
    start(
      camera(60)
        .filter(({ n }) => n % 5 !== 0)
        .stage(
          'trouble',
          (frame, ctx) => {
            const mine = ctx.alloc(BYTES)
            if (frame.n % 3 === 0) return undefined
            if (frame.n % 7 === 0) throw new Error(`frame ${frame.n}`)
            if (frame.n % 2 === 0 && ctx.attempt === 1) throw new Error('the first time')
            mine.set(frame.data)
            return { n: frame.n, data: mine }
          },
          { ...LOOP, slabBytes: 2 ** 20, retry: { attempts: 2 }, onError: 'dead-letter' },
        )
        .sink('look', (frame) => checkFrame(frame, BYTES), LOOP)
        .deadLetters(
          'letters',
          (letter) => {
            checkFrame(letter.input as Frame, BYTES)
            letters.push(letter)
          },
          LOOP,
        ),
    ),
  )
  const report = await run.join()
  const failed = [7, 14, 28, 49, 56].map((n) => n)
  assert.deepEqual(
    letters.map(({ input }) => (input as Frame).n),
    failed,
  )
  assertNoneLeft(report)
})

test('what drops its oldest items frees their slabs', async () => {
  let seen = 0
  const { report } = await outputs(
    camera(500, 16 * BYTES)
      .stage('pass', (frame) => frame, LOOP)
      .stage(
        'slow',
        async (frame) => {
          await new Promise((resolve) => setImmediate(resolve))
          checkFrame(frame, BYTES)
          seen++
        },
        { ...LOOP, capacity: 2, overflow: 'drop-old' },
      ),
  )
  assert.ok(seen > 0)
  assertNoneLeft(report)
})

test('a view that is kept and passed on too late is refused, and the error says where it was', async () => {
  let kept: Frame | undefined
  const run = watch(
    start(
      camera(3)
        .stage(
          'keeper',
          (frame) => {
            const late = kept
            kept = frame
            return late === undefined ? { list: [] } : { list: [late] }
          },
          { ...LOOP, retry: { attempts: 3 } },
        )
        .sink('look', () => {}, LOOP),
    ),
  )
  await assert.rejects(run.join(), (error: { failures: { code: string; message: string }[] }) => {
    assert.equal(error.failures[0].code, 'MILLRACE_SLAB_RELEASED')
    assert.match(error.failures[0].message, /stage "keeper" failed at item 2.*\.list\[0\]\.data/)
    return true
  })
})

test('on the loop, where nobody may wait, what finds no slab is copied; a source without slabs copies all', async () => {
  for (const slabBytes of [2 * BYTES, 0]) {
    const { all, report } = await outputs(camera(50, slabBytes).stage('look', (frame) => frame, LOOP))
    for (const frame of all) checkFrame(frame, BYTES)
    assert.equal(all.length, 50)
    const slabs = report.stages[0].slabs
    if (slabBytes === 0) assert.equal(slabs, undefined)
    else assert.ok(slabs !== undefined && slabs.copied > 0 && slabs.bytes <= slabBytes)
  }
})

test(
  'a batch that waits for more items leaves early when the slabs that it holds are all there are',
  THREADS,
  async () => {
    const run = watch(start(new URL('../fixtures/pipelines/frame-batches.ts', import.meta.url), {}))
    const sizes: number[] = []
    for await (const size of run) sizes.push(size as number)
    const report = await run.join()
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      50,
    )
    assert.ok(sizes.every((size) => size <= 4))
    assert.equal(report.stages[0].slabs?.copied, 0)
    assertNoneLeft(report)
  },
)

test('a run tells how its slabs stand, while it goes on and at its end: what a source lost is counted', async () => {
  let letGo = (): void => {}
  const run = watch(
    start(
      pipeline('frames')
        .source(
          'camera',
          function* (ctx): Generator<Frame> {
            for (let n = 1; n <= 3; n++) {
              ctx.alloc(BYTES)
              yield { n, data: ctx.alloc(BYTES) }
            }
          },
          { ...LOOP, slabBytes: 2 ** 20 },
        )
        .sink(
          'look',
          async () => {
            await new Promise<void>((resolve) => {
              letGo = resolve
            })
          },
          LOOP,
        ),
    ),
  )
  await until(() => run.diagnose().includes('3 in use, 3 held, 6 given'))
  const opening = setInterval(() => letGo())
  const report = await run.join()
  clearInterval(opening)
  assert.deepEqual(report.stages[0].slabs, {
    allocated: 6,
    copied: 0,
    waits: 0,
    bytes: 2 ** 20,
    inUse: 0,
    held: 3,
  })
})

test('alloc says what is wrong with its number, and slabBytes too', async () => {
  for (const bytes of [-1, 0.5, Number.NaN, '8' as never]) {
    const run = watch(
      start(
        pipeline('frames')
          .source('numbers', () => [1], LOOP)
          .stage('make', (_, ctx) => ctx.alloc(bytes), LOOP)
          .sink('look', () => {}, LOOP),
      ),
    )
    await assert.rejects(run.join(), /ctx\.alloc\(\): bytes must be an integer, 0 or more, got/)
  }
  const run = start(camera(1, -1).sink('look', () => {}, LOOP))
  await assert.rejects(run.join(), /source|stage "camera": slabBytes must be an integer from 0 to/)
})
