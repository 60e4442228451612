// The plan as a picture: what a reader sees.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pipeline } from '../../src/define/pipeline.ts'
import { drawPlan } from '../../src/plan/draw.ts'
import type { Plan } from '../../src/plan/plan.ts'
import { begun, ignore, planOf, same } from '../support/plans.ts'

const chain = () => planOf(begun().stage('double', same).map(same).sink('out', ignore))

/** Most of what can be drawn. */
function graph(): Plan {
  const blueprint = pipeline('orders')
    .source('reader', () => [{ id: 1, total: 3 }], { checkpoint: 'at.json' })
    .stage('parse', (order) => order, {
      workers: 2,
      maxWorkers: 4,
      retry: { attempts: 3 },
      onError: 'dead-letter',
      timeoutMs: 500,
    })
    .filter(({ total }) => total > 0)
    .route(({ total }) => (total > 1000 ? 'big' : 'small'), {
      big: (orders) =>
        orders.stage('check', (order) => order, { workers: 2, by: ({ id }) => id, capacity: 1 }),
      small: (orders) => orders,
    })
    .merge()
    .batch({ size: 10, bytes: 2048, withinMs: 50, by: ({ id }) => id })
    .sink('insert', ignore, { concurrency: 3, order: 'completion', onError: 'skip', overflow: 'drop-new' })
    .deadLetters('failed.ndjson')
  return planOf(blueprint)
}

test('a chain as text', () => {
  assert.equal(
    drawPlan(chain(), 'text'),
    `pipeline p

in      source  1 thread
  └──> double   64 items, 16 MiB
double  stage   1 thread, then map
  └──> out      64 items, 16 MiB
out     sink    1 thread
`,
  )
})

test('a graph as text: branches, workers, order, batches, what happens to failures, notes', () => {
  assert.equal(
    drawPlan(graph(), 'text'),
    `pipeline orders

reader        source         1 thread, checkpoint
  └──> parse                 64 items, 16 MiB
parse         stage, route   2 to 4 threads, in order, 500 ms each, 3 tries, then filter
  ├─ big ────> check         4 items, 16 MiB
  ├─ small ──> insert        64 items, 16 MiB, drop-new
  └╌ failed ╌> dead letters  64 items, 16 MiB
check         stage          2 threads, by key, in order
  └──> insert                64 items, 16 MiB, drop-new
insert        sink           1 thread, 3 at a time, as completed, batches of 10 or 2 KiB within 50 ms by key, skips failures
dead letters  sink           on the loop, to failed.ndjson

notes
  queue parse -> check: capacity is 4, not 1: one for each of 4 workers
`,
  )
})

test('a graph as Mermaid', () => {
  assert.equal(
    drawPlan(graph(), 'mermaid'),
    `flowchart LR
  s0["reader<br/><small>source, 1 thread, checkpoint</small>"]
  s1["parse<br/><small>stage, route, 2 to 4 threads, in order, 500 ms each, 3 tries, then filter</small>"]
  s2["check<br/><small>stage, 2 threads, by key, in order</small>"]
  s3["insert<br/><small>sink, 1 thread, 3 at a time, as completed, batches of 10 or 2 KiB within 50 ms by key, skips failures</small>"]
  s4["dead letters<br/><small>sink, on the loop, to failed.ndjson</small>"]
  s0 -- "64 items, 16 MiB" --> s1
  s1 -- "big<br/>4 items, 16 MiB" --> s2
  s2 -- "64 items, 16 MiB, drop-new" --> s3
  s1 -- "small<br/>64 items, 16 MiB, drop-new" --> s3
  s1 -. "failed<br/>64 items, 16 MiB" .-> s4
  %% queue parse -> check: capacity is 4, not 1: one for each of 4 workers
`,
  )
})

test('a graph as DOT', () => {
  assert.equal(
    drawPlan(graph(), 'dot'),
    `digraph "orders" {
  rankdir=LR
  node [shape=box]
  s0 [label="reader\\nsource, 1 thread, checkpoint"]
  s1 [label="parse\\nstage, route, 2 to 4 threads, in order, 500 ms each, 3 tries, then filter"]
  s2 [label="check\\nstage, 2 threads, by key, in order"]
  s3 [label="insert\\nsink, 1 thread, 3 at a time, as completed, batches of 10 or 2 KiB within 50 ms by key, skips failures"]
  s4 [label="dead letters\\nsink, on the loop, to failed.ndjson"]
  s0 -> s1 [label="64 items, 16 MiB"]
  s1 -> s2 [label="big\\n4 items, 16 MiB"]
  s2 -> s3 [label="64 items, 16 MiB, drop-new"]
  s1 -> s3 [label="small\\n64 items, 16 MiB, drop-new"]
  s1 -> s4 [label="failed\\n64 items, 16 MiB", style=dashed]
  // queue parse -> check: capacity is 4, not 1: one for each of 4 workers
}
`,
  )
})

test('ends that the caller brings, and added stages, are drawn too', () => {
  const fed = pipeline<number>('fed').broadcast({
    a: (n) => n.sink('one', ignore, { workers: 2, rateLimit: { items: 5, perMs: 1000 } }),
    b: (n) => n.map(same),
  })
  assert.equal(
    drawPlan(planOf(fed, { hasInput: true, canOutput: true }), 'text'),
    `pipeline fed

input     source            on the loop
  └──> split                64 items, 16 MiB
split     stage, broadcast  1 thread, hands on
  ├─ a ─> one               64 items, 16 MiB
  └─ b ─> branch b          64 items, 16 MiB
one       sink              2 threads, in order, at most 5 in 1000 ms
branch b  stage             1 thread, hands on, then map
  └──> output               64 items, 16 MiB
output    sink              on the loop
`,
  )
})

test('of batches of several workers it is said what is in order', () => {
  const batches = begun().batch({ size: 2 })
  const drawn = (workers: number) =>
    drawPlan(
      planOf(batches.stage('sum', (batch) => batch, { workers, concurrency: 2 }).sink('out', ignore)),
      'text',
    )
  assert.match(drawn(2), /2 threads, 2 at a time, in order of first items, batches of 2/)
  assert.match(drawn(1), /1 thread, 2 at a time, in order, batches of 2/)
})

test('names cannot break out of the picture', () => {
  const name = 'a "b" <c>\\ & d'
  const plan = planOf(begun().stage(name, same).sink('out', ignore))
  assert.ok(drawPlan(plan, 'mermaid').includes('["a &quot;b&quot; &lt;c&gt;\\ &amp; d<br/>'))
  assert.ok(drawPlan(plan, 'dot').includes('[label="a \\"b\\" <c>\\\\ & d\\nstage'))
})

test('every name and note is made fit to be printed', () => {
  const rude = '\u001b[2J'
  const blueprint = pipeline(rude)
    .source(`${rude}in`, () => [1])
    .stage(`${rude}x`, same, { workers: 2, capacity: 1, onError: 'dead-letter' })
    .broadcast({ [`${rude}a`]: (n) => n.sink(`${rude}out`, ignore) })
    .deadLetters(`${rude}file`)
  for (const format of ['text', 'mermaid', 'dot'] as const) {
    const drawn = drawPlan(planOf(blueprint), format, (text) => text.replaceAll(rude, '!'))
    assert.ok(!drawn.includes('\u001b'), drawn)
    for (const part of ['!in', '!x', '!a', '!out', '!file'])
      assert.ok(drawn.includes(part), `${part} in ${drawn}`)
  }
})

test('a pipeline without any queue can be drawn', () => {
  const plan = { ...chain(), queues: [] }
  assert.match(drawPlan(plan, 'text'), /^in {6}source {2}1 thread$/m)
})
