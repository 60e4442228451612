/** The live view and the summary as text: they fit the terminal and cannot be steered by a name. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { formatElapsed, formatRate, formatTime } from '../../src/observe/format-number.ts'
import { printableLine, printableText } from '../../src/observe/printable.ts'
import { type Progress, renderProgress } from '../../src/observe/progress.ts'
import type { Report } from '../../src/observe/report.ts'
import { renderSummary } from '../../src/observe/summary.ts'
import { fitText, textWidth } from '../../src/observe/text-width.ts'

const progress: Progress = {
  pipeline: 'demo',
  state: 'running',
  elapsedMs: 12_345,
  stages: [
    { name: 'reader', state: 'done', items: 1_234_567, itemsPerSecond: 352_282, busyShare: 0.2 },
    {
      name: 'upper',
      state: 'running',
      items: 1_234_000,
      itemsPerSecond: 4.04,
      busyShare: 0.75,
      queue: { level: 16, capacity: 32 },
    },
    {
      name: '画像を読む',
      state: 'ready',
      items: 0,
      itemsPerSecond: 0,
      busyShare: 0,
      queue: { level: 0, capacity: 8 },
    },
  ],
}

test('a frame has a head, titles and a line per stage', () => {
  assert.deepEqual(renderProgress(progress, { columns: 80, rows: 24, hasColors: false }), [
    'demo  running  12 s',
    '  stage       state        items  per s  queue                busy',
    '  reader      done     1,234,567',
    '  upper       running  1,234,000    4.0  ━━━━━━──────  16/32  75 %',
    '  画像を読む  ready            0      0  ────────────    0/8   0 %',
  ])
})

test('a bar is full only when the queue is, and empty only when it is', () => {
  const bar = (level: number): string => {
    const stage = { ...progress.stages[1], queue: { level, capacity: 1000 } }
    const lines = renderProgress({ ...progress, stages: [stage] }, { columns: 80, rows: 9, hasColors: false })
    return lines[2].replaceAll(/[^━─]/g, '')
  }
  assert.equal(bar(0), '────────────')
  assert.equal(bar(1), '━───────────')
  assert.equal(bar(999), '━━━━━━━━━━━─')
  assert.equal(bar(1000), '━━━━━━━━━━━━')
})

test('no line is wider than the screen, and there are not more than it has, at any size', () => {
  const long = { ...progress.stages[0], name: 'a stage with a name that is much too long '.repeat(3) }
  const crowded = { ...progress, pipeline: 'p'.repeat(60), stages: [...progress.stages, long] }
  for (let columns = 1; columns < 120; columns++) {
    for (const rows of [1, 2, 3, 24]) {
      const lines = renderProgress(crowded, { columns, rows, hasColors: true })
      assert.ok(lines.length <= rows, `${lines.length} lines in ${rows}`)
      for (const line of lines) {
        const width = textWidth(stripVTControlCharacters(line))
        assert.ok(width <= Math.max(columns, 4), `${width} cells in ${columns}: ${line}`)
      }
    }
  }
})

test('colours do not change the text', () => {
  const size = { columns: 80, rows: 24 }
  const coloured = renderProgress(progress, { ...size, hasColors: true })
  assert.notDeepEqual(coloured, renderProgress(progress, { ...size, hasColors: false }))
  const trimmed = coloured.map((line) => stripVTControlCharacters(line).trimEnd())
  assert.deepEqual(trimmed, renderProgress(progress, { ...size, hasColors: false }))
})

test('names cannot steer the terminal', () => {
  const stage = { ...progress.stages[0], name: 'a\u001b[2J\nb\u009b1m\u0007' }
  const [head, , line] = renderProgress(
    { ...progress, pipeline: 'x\ry', stages: [stage] },
    { columns: 80, rows: 9, hasColors: false },
  )
  assert.match(head, /^x y {2}/)
  assert.match(line, /^ {2}a b +done/)
})

const QUIET = { abandoned: 0, inDoubt: 0, retried: 0, restarts: 0, overflowed: 0 }

const report: Report = {
  schema: 'millrace.report/1',
  pipeline: 'demo',
  outcome: 'aborted',
  reason: 'SIGINT again',
  elapsedMs: 1549.5,
  stages: [
    {
      name: 'reader',
      host: 'thread',
      workers: 1,
      out: 2000,
      done: 2000,
      dropped: 0,
      failed: 0,
      ...QUIET,
      busyMs: 250,
      starvedMs: 0,
      blockedMs: 750,
    },
    {
      name: 'writer',
      host: 'thread',
      workers: 1,
      in: 2000,
      out: 1990,
      done: 1990,
      dropped: 1,
      failed: 2,
      ...QUIET,
      abandoned: 6,
      inDoubt: 1,
      busyMs: 0,
      starvedMs: 0,
      blockedMs: 0,
    },
  ],
  queues: [],
  failures: [],
  bottleneck: { stage: 'reader', why: 'busy 25 % of its time' },
  advice: [],
}

test('the summary tells outcome, time, what became of the items, and the bottleneck', () => {
  assert.deepEqual(renderSummary(report, { columns: Number.POSITIVE_INFINITY, hasColors: false }), [
    'demo aborted in 1.55 s (SIGINT again)',
    '  stage      in    out  per s  busy  no item  no room',
    '  reader         2,000  1,290  25 %      0 %     75 %',
    '  writer  2,000  1,990  1,280                          1 dropped, 2 failed, 6 abandoned, 1 in doubt',
    '  bottleneck: reader, busy 25 % of its time',
  ])
})

test('workers, and what a run got over, are told where there are any', () => {
  const busy = { ...progress.stages[1], workers: 4, failed: 3, dropped: 12, restarts: 1 }
  const size = { columns: 100, rows: 9, hasColors: false }
  assert.deepEqual(renderProgress({ ...progress, stages: [busy] }, size).slice(1), [
    '  stage     state        items  per s  queue                busy',
    '  upper x4  running  1,234,000    4.0  ━━━━━━──────  16/32  75 %  3 failed, 12 overflowed, 1 restart',
  ])
  const stage = { ...report.stages[0], workers: 4, retried: 7, restarts: 2, overflowed: 5 }
  const lines = renderSummary({ ...report, stages: [stage] }, { columns: 120, hasColors: false })
  assert.match(lines[2], /^ {2}reader x4 .* 5 overflowed, 7 retried, 2 restarts$/)
})

test('text is cut by the cells it takes', () => {
  assert.equal(textWidth('e\u0301a'), 2)
  assert.equal(textWidth('日本'), 4)
  assert.equal(textWidth('👩‍👩‍👧'), 2)
  assert.equal(fitText('日本語', 6), '日本語')
  assert.equal(fitText('日本語', 5), '日本…')
  assert.equal(fitText('日本語', 4), '日…')
  assert.equal(fitText('abc', 0), '')
})

test('control characters and sequences are taken out, the text between them is not', () => {
  assert.equal(printableLine('a\u001b[31mroot\u0007 b\u202e'), 'aroot  b ')
  assert.equal(printableLine('a\nb\tc'), 'a b c')
  assert.equal(printableText('a\r\n\tb\u001b]0;title\u0007'), 'a\n\tb ]0;title ')
})

test('numbers stand still where more figures would only flicker', () => {
  assert.deepEqual([0, 0.44, 9.96, 12.3, 352_282].map(formatRate), ['0', '0.4', '10.0', '12', '352,000'])
  assert.deepEqual([0, 59_999, 185_000, 7_260_000].map(formatTime), [
    '0 s',
    '59 s',
    '3 min 05 s',
    '2 h 01 min',
  ])
  assert.deepEqual([87.4, 1549, 12_345, 185_000].map(formatElapsed), [
    '87 ms',
    '1.55 s',
    '12.3 s',
    '3 min 05 s',
  ])
})
