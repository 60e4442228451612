// Types flow from source to sink, and out. This file is checked by the compiler; each @ts-expect-error must be one.
import assert from 'node:assert/strict'
import test from 'node:test'
import {
  type Blueprint,
  definePipeline,
  type Pipeline,
  type PipelineManager,
  pipeline,
  SENTINEL,
  type start,
} from '../../src/index.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const check = <T extends true>(): T | undefined => undefined

/** What comes out of a pipeline. */
type Out<P> = P extends { _flow: (input: never) => infer O } ? O : never

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
