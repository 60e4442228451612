// Types flow from source to sink, and out. This file is checked by the compiler; each @ts-expect-error must be one.
import assert from 'node:assert/strict'
import test from 'node:test'
import { command } from '../../src/command.ts'
import {
  type BatchOptions,
  type Blueprint,
  type DeadLetter,
  definePipeline,
  type Pipeline,
  type PipelineManager,
  pipeline,
  type RunOptions,
  SENTINEL,
  type SourceOptions,
  type Split,
  type StageOptions,
  type start,
} from '../../src/index.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const check = <T extends true>(): T | undefined => undefined

/** What comes out of a pipeline. */
type Out<P> = P extends { _flow: (input: never) => infer O } ? O : never
/** What goes into it. */
type In<P> = P extends { _flow: (input: infer I) => unknown } ? I : never

const numbersOf = () => pipeline('numbers').source('numbers', () => [1, 2, 3])
const textsOf = () => pipeline('texts').source('texts', () => ['a', 'b'])

test('types flow through every kind of stage', () => {
  const numbers = pipeline('types').source('numbers', () => [1, 2, 3])
  check<Equal<Out<typeof numbers>, number>>()

  const texts = numbers.stage('text', (n) => (n > 1 ? String(n) : undefined))
  check<Equal<Out<typeof texts>, string>>()

  const later = texts.stage('later', async (text) => (text === '' ? SENTINEL : { text }))
  check<Equal<Out<typeof later>, { text: string }>>()

  const many = later.stage('many', function* ({ text }) {
    yield text.length
  })
  check<Equal<Out<typeof many>, number>>()

  const held = many.stage('held', { open: () => new Map<number, string>(), process: (n, map) => map.get(n) })
  check<Equal<Out<typeof held>, string>>()

  const fused = held
    .map((text) => text.length)
    .filter((n) => n > 1)
    .flatMap((n) => [n, true])
  check<Equal<Out<typeof fused>, number | boolean>>()

  // @ts-expect-error a stage that does not fit is an error at that stage
  numbers.stage('wrong', (text: string) => text)
  // @ts-expect-error an option that does not exist
  numbers.stage('wrong', (n) => n, { capasity: 1 })
  // @ts-expect-error a source has no queue before it
  pipeline('wrong').source('x', () => [1], { capacity: 1 })
  assert.equal(fused.stages.length, 5)
})

test('nothing follows a sink, and a pipeline begins with a source unless it says what it is fed', () => {
  const ended = pipeline('ended')
    .source('numbers', () => [1])
    .sink('end', () => {})
  check<Equal<typeof ended, Blueprint<never, never>>>()
  const fed = pipeline<number>('fed').sink('end', { process: (n) => n })
  check<Equal<typeof fed, Blueprint<number, never>>>()
  // Never called: only its types matter.
  const use = (begin: typeof start) => {
    begin(ended)
    begin(fed, {}, { input: [1] })
    // @ts-expect-error an input of another type
    begin(fed, {}, { input: ['x'] })
    definePipeline('file:///ended.js', () => ended)
    // @ts-expect-error a stage after the sink
    ended.stage('late', (n) => n)
    // @ts-expect-error an operator after the sink
    ended.map((n) => n)
    // @ts-expect-error a second sink
    ended.sink('late', () => {})
    // @ts-expect-error a stage first, and nothing said of what comes in
    pipeline('p').stage('first', (text: string) => text)
    // @ts-expect-error an operator first, and nothing said of what comes in
    pipeline('p').filter(() => true)
    // @ts-expect-error a sink first, and nothing said of what comes in
    pipeline('p').sink('only', () => {})
  }
  assert.equal(typeof use, 'function')
})

test('batches are arrays, and the elements of anything that can be iterated come out of unbatch', () => {
  const batches = numbersOf().batch({ size: 10, by: (n) => n % 2 })
  check<Equal<typeof batches, Pipeline<never, number[]>>>()
  const again = batches.stage('sorted', (items) => items.toSorted()).unbatch()
  check<Equal<typeof again, Pipeline<never, number>>>()
  const entries = numbersOf()
    .map((n) => new Map([[n, 'n']]))
    .unbatch()
  check<Equal<Out<typeof entries>, [number, string]>>()
  const taken = numbersOf()
    .batch({ withinMs: 5 })
    .sink('out', (items) => items.length)
  check<Equal<typeof taken, Blueprint<never, never>>>()
  // Never called: only its types matter.
  const use = () => {
    // @ts-expect-error a batch has limits
    numbersOf().batch()
    // @ts-expect-error a limit that does not exist
    numbersOf().batch({ sise: 4 })
    // @ts-expect-error a key of something else than the items
    numbersOf().batch({ size: 4, by: (text: string) => text })
    // @ts-expect-error numbers have no elements
    numbersOf().unbatch()
    // @ts-expect-error the stage gets arrays
    batches.stage('x', (n: number) => n)
  }
  assert.equal(typeof use, 'function')
})

test('a split whose branches all end in a sink is a blueprint; what it leaves open can be merged', () => {
  const ended = numbersOf().broadcast({
    a: (n) => n.sink('one', (item) => item.toFixed()),
    b: (n) => n.map(String).sink('two', (text) => text.length),
  })
  check<Equal<typeof ended, Blueprint<never, never>>>()

  const open = numbersOf().broadcast({
    a: (n) => n.stage('text', (item) => String(item)),
    b: (n) => n.filter((item) => item > 1),
    c: (n) => n.sink('end', () => {}),
    d: (n) => n,
  })
  check<Equal<typeof open, Split<never, string | number>>>()
  const merged = open.merge()
  check<Equal<typeof merged, Pipeline<never, string | number>>>()
  const nested = numbersOf().broadcast({
    a: (n) => n.broadcast({ x: (m) => m.map(() => true), y: (m) => m }).merge(),
    b: (n) => n.broadcast({ z: (m) => m.sink('z', () => {}) }),
  })
  check<Equal<typeof nested, Split<never, boolean | number>>>()
  const fed = pipeline<number>('fed').broadcast({ a: (n) => n, b: (n) => n.sink('end', () => {}) })
  check<Equal<typeof fed, Split<number, number>>>()

  // Never called: only its types matter.
  const use = (begin: typeof start) => {
    begin(ended)
    begin(open)
    begin(fed, {}, { input: [1] })
    // @ts-expect-error an input of another type
    begin(fed, {}, { input: ['x'] })
    // @ts-expect-error nothing is open
    ended.merge()
    // @ts-expect-error what is open is merged first
    open.stage('x', (n) => n)
    // @ts-expect-error a branch returns a pipeline
    numbersOf().broadcast({ a: (n) => n.name })
    // @ts-expect-error a branch gets what the pipeline gives
    numbersOf().broadcast({ a: (n) => n.stage('x', (text: string) => text) })
    // @ts-expect-error a merged stage gets the union
    open.merge().stage('x', (text: string) => text)
  }
  assert.equal(typeof use, 'function')
})

test('a route names branches that are there', () => {
  const routed = numbersOf().route((n) => (n > 1 ? 'big' : 'small'), {
    big: (n) => n.map((item) => ({ item })),
    small: (n) => n,
    unused: (n) => n.sink('end', () => {}),
  })
  check<Equal<typeof routed, Split<never, { item: number } | number>>>()
  const dropping = numbersOf().route((n) => (n > 1 ? 'big' : undefined), {
    big: (n) => n.sink('x', () => {}),
  })
  check<Equal<typeof dropping, Blueprint<never, never>>>()
  // Never called: only its types matter.
  const use = (name: string) => {
    // @ts-expect-error a branch that is not there
    numbersOf().route(() => 'bog', { big: (n) => n })
    // @ts-expect-error any text
    numbersOf().route(() => name, { big: (n) => n })
    // @ts-expect-error the function gets the items
    numbersOf().route((text: string) => (text === '' ? 'big' : undefined), { big: (n) => n })
  }
  assert.equal(typeof use, 'function')
})

test('what is merged is fed by one caller at most, and gives what any of them gives', () => {
  const merged = numbersOf().merge(
    textsOf(),
    textsOf().map(() => true),
  )
  check<Equal<typeof merged, Pipeline<never, string | number | boolean>>>()
  const fed = numbersOf().merge(pipeline<Date>('dates'))
  check<Equal<In<typeof fed>, Date>>()
  const split = numbersOf()
    .broadcast({ a: (n) => n })
    .merge(textsOf())
  check<Equal<typeof split, Pipeline<never, string | number>>>()
  // Never called: only its types matter.
  const use = () => {
    // @ts-expect-error nothing comes out of it
    numbersOf().merge(textsOf().sink('end', () => {}))
    // @ts-expect-error no pipeline
    numbersOf().merge([1])
  }
  assert.equal(typeof use, 'function')
})

test('dead letters may be spoken of anywhere, and the type stays what it is', () => {
  const first = pipeline('p').deadLetters('file')
  const open = first
    .source('numbers', () => [1])
    .deadLetters('bad', (letter) => {
      check<Equal<typeof letter, DeadLetter>>()
    })
  check<Equal<typeof open, Pipeline<never, number>>>()
  const ended = open.sink('end', () => {}).deadLetters('file')
  check<Equal<typeof ended, Blueprint<never, never>>>()
  // Never called: only its types matter.
  const use = () => {
    // @ts-expect-error neither a file nor a sink
    open.deadLetters()
    // @ts-expect-error dead letters are no numbers
    open.deadLetters('bad', (n: number) => n)
  }
  assert.equal(typeof use, 'function')
})

test('options know the items of their stage', () => {
  const people = pipeline('people').source('people', () => [{ name: 'Ada', age: 36 }])
  const aged = people.stage('age', ({ age }) => age, {
    by: (person) => person.name,
    workers: 'auto',
    order: 'completion',
    retry: { attempts: 3, if: (error, attempt) => error instanceof Error && attempt < 2 },
    restart: false,
    maxFailures: { count: 3, withinMs: 1000 },
  })
  check<Equal<Out<typeof aged>, number>>()
  const apart: StageOptions = { workers: 2, onError: 'skip' }
  const limits: BatchOptions = { size: 3 }
  people.stage('x', (person) => person, apart).batch(limits)
  const typed: StageOptions<{ name: string }> = { by: ({ name }) => name }
  people.stage('y', (person) => person, typed)
  const source: SourceOptions = { checkpoint: 'at.json', restart: {} }
  pipeline('p').source('x', () => [1], source)
  const run: RunOptions = { maxInFlight: 100, deadLetters: 'file' }
  assert.equal(run.maxInFlight, 100)
  // Never called: only its types matter.
  const use = () => {
    // @ts-expect-error a key is no object
    people.stage('x', (person) => person, { by: (person) => person })
    // @ts-expect-error a field that is not there
    people.stage('x', (person) => person, { by: (person) => person.nome })
    // @ts-expect-error a key of something else than the items
    numbersOf().stage('x', (n) => n, typed)
    // @ts-expect-error neither a number nor "auto"
    people.stage('x', (person) => person, { workers: 'all' })
    // @ts-expect-error the number of tries is missing
    people.stage('x', (person) => person, { retry: { delayMs: 3 } })
    // @ts-expect-error a field that does not exist
    people.stage('x', (person) => person, { retry: { attempts: 3, delay: 3 } })
    // @ts-expect-error only a source has a checkpoint
    people.stage('x', (person) => person, { checkpoint: 'file' })
    // @ts-expect-error a source has one worker
    pipeline('p').source('x', () => [1], { workers: 2 })
    // @ts-expect-error a source takes no items
    pipeline('p').source('x', () => [1], { retry: { attempts: 2 } })
  }
  assert.equal(typeof use, 'function')
})

test('a function of any pipeline can be written', () => {
  const twice = <In, Out>(begun: Pipeline<In, Out>) => begun.flatMap((item) => [item, item])
  const doubled = twice(pipeline<number>('doubled'))
  check<Equal<typeof doubled, Pipeline<number, number>>>()
  assert.equal(doubled.stages.length, 1)
})

test('options and outputs of a module are typed, nothing said twice', () => {
  const words = definePipeline(
    'file:///words.js',
    {
      file: { type: 'string' },
      limit: { type: 'integer', default: 10 },
      trim: { type: 'boolean', optional: true },
    },
    ({ file, limit, trim }) => {
      check<Equal<typeof file, string>>()
      check<Equal<typeof limit, number>>()
      check<Equal<typeof trim, boolean | undefined>>()
      return pipeline('words').source('reader', () => [file, String(limit)])
    },
  )
  // Never called: only its types matter.
  const use = (begin: typeof start) => {
    const run = begin(words, { file: 'x' })
    check<Equal<typeof run, PipelineManager<string>>>()
    begin(words, { file: 'x', limit: 3, trim: true })
    // @ts-expect-error a missing option
    begin(words, {})
    // @ts-expect-error an option of another type
    begin(words, { file: 1 })
    // @ts-expect-error an unknown option
    begin(words, { file: 'x', colour: 'red' })
  }
  assert.equal(typeof use, 'function')
})

test('a program has the types of its framings, and one that answers is no source', () => {
  const program = 'cat'
  const read = pipeline('read').source('read', command({ program, output: 'chunks' }))
  check<Equal<Out<typeof read>, Uint8Array>>()
  const passed = textsOf().stage('pass', command({ program, output: { bytes: 4 } }))
  check<Equal<Out<typeof passed>, Uint8Array>>()
  const answered = textsOf().stage('answer', command({ program, output: 'ndjson', mapping: 'one-to-one' }))
  check<Equal<Out<typeof answered>, unknown>>()
  // @ts-expect-error lines are texts
  numbersOf().stage('wrong', command({ program }))
  // @ts-expect-error what answers items has none to answer
  pipeline('wrong').source('wrong', command({ program, mapping: 'one-to-one' }))
  assert.equal(textsOf().stage('pass', command({ program })).stages.length, 2)
})
