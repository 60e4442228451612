// What cannot hang together: one rule, one code, one message.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Pipeline, pipeline } from '../../src/define/pipeline.ts'
import type { MillraceError } from '../../src/errors.ts'
import { begun, ignore, planOf, refuses, same } from '../support/plans.ts'

const size2 = { size: 2 }
const other = (name = 'late') => pipeline(name).source(name, () => [3])
const passed = (name: string) => (branch: Pipeline<never, number>) => branch.stage(name, same)
const loose = (blueprint: unknown) => blueprint as Pipeline<never, number>
const ended = () => loose(begun().sink('out', ignore))

test('nothing follows a sink', () => {
  const code = 'MILLRACE_MISPLACED_STAGE'
  const last = 'pipeline "p": sink "out" must be its last stage, and'
  refuses(ended().stage('x', same), code, `${last} stage "x" follows it`, { canOutput: true })
  refuses(ended().sink('x', ignore), code, `${last} sink "x" follows it`)
  refuses(ended().batch(size2), code, `${last} stage "batch" follows it`, { canOutput: true })
  refuses(ended().map(same), code, 'pipeline "p": map cannot follow sink "out"')
  const split = ended().broadcast({ a: (n) => n.sink('x', ignore) })
  refuses(split, code, 'pipeline "p": broadcast cannot follow sink "out"')
  const all = loose(begun().broadcast({ a: (n) => n.sink('out', ignore) }))
  refuses(all.stage('x', same), code, `${last} stage "x" follows it`, { canOutput: true })
})

test('a source is first', () => {
  const message =
    'pipeline "p": source "again" must be its first stage; pipelines of several sources are joined with .merge()'
  refuses(
    begun()
      .source('again', () => [1])
      .sink('out', ignore),
    'MILLRACE_MISPLACED_STAGE',
    message,
  )
})

test('every path begins with a source', () => {
  const none = 'pipeline "p" has no source'
  refuses(pipeline('p'), 'MILLRACE_NO_SOURCE', none)
  refuses(pipeline<number>('p').sink('out', ignore), 'MILLRACE_NO_SOURCE', none)
  refuses(pipeline<number>('p').map(same).sink('out', ignore), 'MILLRACE_NO_SOURCE', none)
  const half = pipeline<number>('p').stage('x', same).merge(other()).sink('out', ignore)
  const error = refuses(half, 'MILLRACE_NO_SOURCE', 'pipeline "p": nothing feeds stage "x"')
  assert.equal(error.stage, 'x')
})

test('every path ends in a sink', () => {
  const code = 'MILLRACE_NO_SINK'
  refuses(begun().stage('x', same), code, 'pipeline "p" has no sink')
  const split = begun().broadcast({ a: (n) => n.sink('out', ignore), b: (n) => n })
  refuses(split, code, 'pipeline "p" has no sink for branch "b" of stage "in"')
  const deep = begun().broadcast({ a: (n) => n.sink('out', ignore), b: passed('y') })
  refuses(deep, code, 'pipeline "p" has no sink for the outputs of stage "y"')
})

test('stage names differ, over all branches and merged pipelines too', () => {
  const code = 'MILLRACE_DUPLICATE_STAGE'
  const twice = begun().broadcast({ a: (n) => n.sink('out', ignore), b: (n) => n.sink('out', ignore) })
  refuses(twice, code, 'pipeline "p": two stages are named "out"')
  refuses(begun().merge(begun()).sink('out', ignore), code, 'pipeline "p": two stages are named "in"')
  const named = pipeline<number>('p').stage('input', same).sink('out', ignore)
  refuses(named, code, 'pipeline "p": two stages are named "input"', { hasInput: true })
})

test('names are strings that can be read', () => {
  const long = 'x'.repeat(101)
  const cases: [name: unknown, shown: string][] = [
    ['', "''"],
    [long, `'${'x'.repeat(60)}'... 41 more cha...`],
    [7, '7'],
    [undefined, 'undefined'],
  ]
  for (const [name, shown] of cases) {
    refuses(
      begun()
        .stage(name as string, same)
        .sink('out', ignore),
      'MILLRACE_INVALID_STAGE',
      `pipeline "p": the name of stage 2 must be a string of 1 to 100 characters, got ${shown}`,
    )
  }
})

test('bodies can run', () => {
  const code = 'MILLRACE_INVALID_STAGE'
  const body = 'must be a function, or an object with a process function, got'
  refuses(begun().sink('out', undefined as never), code, `sink "out" ${body} undefined`)
  refuses(begun().sink('out', {} as never), code, `sink "out" ${body} {}`)
  const open = { process: same, open: 5 } as never
  refuses(begun().sink('out', open), code, 'stage "out": open must be a function, got 5')
  const source = pipeline('p')
    .source('in', 5 as never)
    .sink('out', ignore)
  const message = 'source "in" must be an iterable, an async iterable, or a function that returns one, got 5'
  refuses(source, code, message)
})

test('only one of the pipelines that are merged is fed by the caller', () => {
  const context = { hasInput: true }
  const fed = (name: string) => pipeline<number>(name)
  const code = 'MILLRACE_INVALID_MERGE'
  const stages = fed('p').stage('x', same).merge(fed('q').stage('y', same)).sink('out', ignore)
  const read = `pipeline "p": both "x" and "y" read the caller's input; use .broadcast() to give everything to both`
  refuses(stages, code, read, context)
  const operators = fed('p').merge(fed('q').map(same)).sink('out', ignore)
  const one = 'pipeline "p": of the pipelines that are merged, only one can be fed by the caller'
  refuses(operators, code, one, context)
})

const throwsCode = (code: string, message: string, build: () => unknown) =>
  assert.throws(build, (error: MillraceError) => {
    assert.deepEqual([error.code, error.message], [code, message])
    return true
  })

test('merge() takes open pipelines', () => {
  const subject = 'pipeline "p": merge() joins pipelines that are open, and one'
  const code = 'MILLRACE_INVALID_MERGE'
  throwsCode(code, `${subject} ends in a sink`, () => begun().merge(ended()))
  throwsCode(code, `${subject} ends in a sink`, () => ended().merge())
  throwsCode(code, `${subject} is none: 7`, () => begun().merge(7 as never))
})

test('branches are functions that go on from the pipeline that they are given', () => {
  const code = 'MILLRACE_INVALID_BRANCH'
  throwsCode(code, 'pipeline "p": broadcast needs an object of branches, got {}', () => begun().broadcast({}))
  throwsCode(code, 'pipeline "p": route needs an object of branches, got null', () =>
    begun().route(() => undefined, null as never),
  )
  throwsCode(code, 'pipeline "p": branch "a" must be a function, got 5', () =>
    begun().broadcast({ a: 5 as never }),
  )
  throwsCode(code, `pipeline "p": route needs a function that names the branch, got 'a'`, () =>
    begun().route('a' as never, { a: (n) => n }),
  )
  throwsCode(code, 'pipeline "p": branch "a" must return a pipeline, got undefined', () =>
    begun().broadcast({ a: ignore as never }),
  )
  const foreign =
    'pipeline "p": branch "a" must return what it made of the pipeline that it is given, not another one'
  throwsCode(code, foreign, () => begun().broadcast({ a: () => other() }))
  const base = begun()
  throwsCode(code, foreign, () => base.broadcast({ a: () => base.stage('x', same) }))
})

test('a branch that returns what another one made leaves its own unread', () => {
  let saved: Pipeline<never, number> | undefined
  const split = begun().broadcast({
    a: (n) => (saved = n.stage('x', same)),
    b: () => saved as Pipeline<never, number>,
  })
  const code = 'MILLRACE_INVALID_MERGE'
  const message = 'pipeline "p": both "out" and "out" read the outputs of stage "x"'
  refuses(split.merge().sink('out', ignore), code, `${message}; use .broadcast() to give everything to both`)
})

test('there may be 256 sources, and no more', () => {
  const sources = (count: number) => {
    const [first, ...rest] = Array.from({ length: count }, (_, index) => other(`s${index}`))
    return first.merge(...rest).sink('out', ignore)
  }
  assert.equal(planOf(sources(256)).stages[255].sourceIndex, 255)
  refuses(sources(257), 'MILLRACE_TOO_MANY_SOURCES', 'pipeline "s0" has 257 sources; it can have 256')
})
