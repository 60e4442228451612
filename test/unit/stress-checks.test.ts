// What `millrace stress` would notice.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCommandLine } from '../../src/cli/command-line.ts'
import { checkReport } from '../../src/cli/stress/check-report.ts'
import { checkSink } from '../../src/cli/stress/check-sink.ts'
import { drawGraph } from '../../src/cli/stress/draw-graph.ts'
import { FAULT_KINDS } from '../../src/cli/stress/fault-kinds.ts'
import type { Note } from '../../src/cli/stress/graph-log.ts'
import { expectRun, stagesOf } from '../../src/cli/stress/graph-oracle.ts'
import { endOf } from '../../src/cli/stress/stress-command.ts'
import { readStressOptions } from '../../src/cli/stress/stress-options.ts'
import { summarise } from '../../src/cli/stress/stress-summary.ts'
import { StressTally } from '../../src/cli/stress/stress-tally.ts'
import type { Report } from '../../src/index.ts'

const EXPECTED = { ids: [1, 2, 3], isSequence: true, again: 0 }

/** Notes as [id, thread]. */
function check(notes: [number, number][], dead: number[] = [], isWhole = true, mostInHand = 1): string[] {
  const sink = {
    name: 's',
    notes: notes.map(([id, threadId]): Note => ({ id, threadId })),
    dead: new Set(dead),
    mostInHand,
  }
  return checkSink(sink, EXPECTED, isWhole)
}

test('a sink that got everything once and in order is as it must be', () => {
  assert.deepEqual(
    check([
      [1, 7],
      [2, 7],
      [3, 7],
    ]),
    [],
  )
})

test('an item that is lost is noticed, unless the run was stopped', () => {
  assert.deepEqual(
    check([
      [1, 7],
      [3, 7],
    ]),
    ['sink "s" lacks 1 of 3 items, such as 2'],
  )
  assert.deepEqual(
    check(
      [
        [1, 7],
        [3, 7],
      ],
      [],
      false,
    ),
    [],
  )
})

test('an item that comes again is noticed', () => {
  assert.deepEqual(
    check([
      [1, 7],
      [2, 7],
      [2, 7],
      [3, 7],
    ]),
    ['sink "s" got item 2 once more'],
  )
})

test('an item may come again only when it was the last that a thread noted before it died', () => {
  assert.deepEqual(
    check(
      [
        [1, 7],
        [2, 7],
        [2, 8],
        [3, 8],
      ],
      [7],
    ),
    [],
  )
  assert.deepEqual(
    check(
      [
        [1, 7],
        [2, 7],
        [1, 8],
        [3, 8],
      ],
      [7],
    ),
    ['sink "s" got item 1 once more'],
  )
  assert.deepEqual(
    check(
      [
        [1, 7],
        [2, 7],
        [1, 8],
        [2, 8],
        [3, 8],
      ],
      [7],
      true,
      2,
    ),
    [],
  )
  assert.deepEqual(
    check(
      [
        [1, 7],
        [2, 7],
        [2, 8],
        [2, 8],
        [3, 8],
      ],
      [7],
    ),
    ['sink "s" got item 2 once more'],
  )
})

test('items out of order, and items of others, are noticed', () => {
  assert.deepEqual(
    check([
      [2, 7],
      [1, 7],
      [3, 7],
    ]),
    ['sink "s" got its items out of order'],
  )
  assert.deepEqual(
    check([
      [1, 7],
      [2, 7],
      [3, 7],
      [9, 7],
    ]),
    ['sink "s" got item 9 that is not for it'],
  )
})

test('an item without an outcome, and one that vanished in a queue, are noticed', () => {
  const stage = { name: 'a', in: 5, done: 4, dropped: 0, failed: 0, abandoned: 0, inDoubt: 0 }
  const report = { stages: [stage], queues: [{ to: 'a', passed: 6 }] } as unknown as Report
  const found = checkReport(report, false)
  assert.equal(found.length, 2)
  assert.match(found[0], /^stage "a" took 5 items, and 4 have an outcome/)
  assert.match(found[1], /^stage "a" took 5 items, and 6 were put into its queues/)
})

test('a seed gives the same pipeline again, for every fault', () => {
  for (const fault of [undefined, ...FAULT_KINDS]) {
    for (let seed = 0; seed < 20; seed++) assert.deepEqual(drawGraph(seed, fault), drawGraph(seed, fault))
  }
})

test('every kind of stage and fault is drawn, and some items go through most pipelines', () => {
  const specs = FAULT_KINDS.flatMap((fault) =>
    Array.from({ length: 30 }, (_, seed) => drawGraph(seed, fault)),
  )
  const faults = new Set(specs.flatMap((spec) => stagesOf(spec).flatMap(({ fault }) => fault?.how ?? [])))
  assert.deepEqual([...faults].sort(), ['exit', 'hang', 'oom', 'throw'])
  assert.ok(specs.some(({ terminations }) => terminations > 0))
  const busy = specs.filter((spec) => Object.values(expectRun(spec).sinks).some(({ ids }) => ids.length > 10))
  assert.ok(busy.length > specs.length / 2, `${busy.length} of ${specs.length}`)
})

test('what stress is told is checked', () => {
  const read = (...args: string[]) => readStressOptions(readCommandLine('stress', args))
  assert.deepEqual(read('--seed', '7', '--seconds', '0.5', '--faults', 'exit,oom'), {
    seed: 7,
    seconds: 0.5,
    faults: ['exit', 'oom'],
  })
  assert.deepEqual(read('--faults', 'none').faults, [])
  assert.deepEqual(read().faults, FAULT_KINDS)
  assert.throws(() => read('--faults', 'fire'), { code: 'MILLRACE_USAGE', message: /got "fire"/ })
  assert.throws(() => read('--seed', '-1'), { code: 'MILLRACE_USAGE', message: /--seed must be an integer/ })
  assert.throws(() => read('--seconds', 'ten'), {
    code: 'MILLRACE_USAGE',
    message: /--seconds must be a number/,
  })
  assert.throws(() => read('file.ts'), { code: 'MILLRACE_USAGE', message: /takes no file/ })
})

// On Node 26 it printed what was wrong, and hung: a thread in a loop of `new Array(1_000)` cannot be ended there.
test('after a run that has not ended, the process waits for none of its threads', () => {
  const run = { items: 0, faults: {}, end: undefined, diagnosis: undefined }
  const endAfter = (outcome: 'completed' | 'not ended', ...breaches: string[]) => {
    const tally = new StressTally()
    tally.add(7, undefined, { ...run, outcome, breaches })
    return endOf(summarise(tally, { seed: 7, seconds: 1, faults: [] }, 1_000), true, false)
  }
  assert.deepEqual(endAfter('completed'), { code: 0, stuck: [], signal: undefined })
  assert.deepEqual(endAfter('completed', 'an item is lost'), { code: 1, stuck: [], signal: undefined })
  assert.deepEqual(endAfter('not ended', 'it has not ended'), {
    code: 1,
    stuck: ['random graph'],
    signal: undefined,
  })
})
