/** `millrace run`: what it prints where, and the exit code. */
import assert from 'node:assert/strict'
import { assertBalanced } from '../support/balance.ts'
import { Command, DEMO, fixture, lastLine, millrace } from '../support/command.ts'
import { test } from '../support/harness.ts'

const TICKS = fixture('ticks.ts')

test('stdout has the output of the program only, stderr a summary without control characters', async (t) => {
  const { code, stdout, stderr } = await millrace(t, 'run', TICKS, '--items', '3')
  assert.equal(stdout, 'tick 1\ntick 2\ntick 3\n')
  assert.match(stderr, /^ticks completed in /)
  assert.match(stderr, /\n +counter +3 /)
  assert.match(stderr, /\n +middle +3 +3 /)
  assert.match(stderr, /\n +writer +3 +3 /)
  assert.match(stderr, /bottleneck: /)
  assert.ok(!stderr.includes('\u001b'))
  assert.equal(code, 0)
})

test('--json prints the report as the last line, --quiet nothing else', async (t) => {
  const end = await millrace(t, 'run', '--json', TICKS, '--quiet', '--items=2')
  const report = lastLine(end)
  assert.equal(report.outcome, 'completed')
  assertBalanced(report)
  assert.equal(end.stdout.split('\n').length, 4)
  assert.equal(end.stderr, '')
  assert.equal(end.code, 0)
})

test('what follows -- is the option of the pipeline, though we have one of that name', async (t) => {
  const { stdout } = await millrace(t, 'run', TICKS, '--items', '1', '--quiet', '--', '--json')
  assert.equal(stdout, '{"tick":1}\n')
})

test('options are typed by their defaults, and defaults are filled in', async (t) => {
  const { stdout } = await millrace(t, 'run', fixture('plain.ts'), '--file', 'a b', '--count=-3', '--no-loud')
  assert.deepEqual(JSON.parse(stdout), { file: 'a b', count: -3, loud: false, greeting: 'hello, {you}' })
})

test('a negative number is a value', async (t) => {
  const { stdout } = await millrace(t, 'run', fixture('plain.ts'), '--file=--x', '--count', '-3', '--loud')
  assert.deepEqual(JSON.parse(stdout), { file: '--x', count: -3, loud: true, greeting: 'hello, {you}' })
})

test('where options cannot be known, any is taken', async (t) => {
  const { stdout } = await millrace(t, 'run', fixture('anything.ts'), '--a', '1', '--flag', '--no-b', '--c=')
  assert.deepEqual(JSON.parse(stdout), { a: '1', flag: true, b: false, c: '' })
})

test('a failure names stage, item, error, cause, code and what to do, and shows the stack of the user', async (t) => {
  const end = await millrace(t, 'run', TICKS, '--items', '50', '--fail-at', '7', '--json')
  assert.equal(end.code, 1)
  assert.match(
    end.stderr,
    /millrace: stage "middle" failed at item 7: RangeError: too far\n +at .*ticks\.[jt]s:\d+/,
  )
  assert.match(end.stderr, /caused by: Error: the root {2}of it\n/)
  assert.match(end.stderr, /code: MILLRACE_STAGE_FAILED\nadvice: /)
  assert.doesNotMatch(end.stderr, /worker-loop|node:internal/)
  const report = lastLine(end)
  assert.equal(report.outcome, 'failed')
  assert.equal(report.failures[0].item, 7)
  assertBalanced(report)
})

test('--fail-at of the demo', async (t) => {
  const { code, stderr } = await millrace(
    t,
    'run',
    DEMO,
    '--duration',
    '5',
    '--fail-at',
    '1000',
    '--out',
    '/dev/null',
  )
  assert.match(stderr, /stage "reverse" failed at item 1000: Error: asked to fail at item 1000/)
  assert.equal(code, 1)
})

test('errors are printed in spite of --quiet', async (t) => {
  const { code, stderr } = await millrace(t, 'run', TICKS, '--fail-at', '1', '--quiet')
  assert.match(stderr, /^millrace: stage "middle" failed/)
  assert.equal(code, 1)
})

test('what keeps the main thread alive after the run does not keep the process', async (t) => {
  const end = await millrace(t, 'run', fixture('on-the-loop.ts'), '--json')
  assert.match(end.stdout, /^1 x+\n2 x+\n3 x+\n\{/)
  assert.equal(lastLine(end).outcome, 'completed')
  assert.equal(end.code, 0)
})

test('a slow reader gets all of it: what the main thread wrote, then the report', async (t) => {
  const command = new Command(t, [
    'run',
    fixture('on-the-loop.ts'),
    '--json',
    '--items',
    '40',
    '--bytes',
    '20000',
  ])
  command.child.stdout.pause()
  await command.shows('stderr', 'loop completed')
  command.child.stdout.resume()
  const end = await command.end
  assert.equal(end.stdout.split('\n').length, 42)
  assert.equal(lastLine(end).outcome, 'completed')
  assert.equal(end.code, 0)
})

for (const file of ['ticks.ts', 'on-the-loop.ts']) {
  test(`when nobody reads stdout any more, the run drains (${file})`, async (t) => {
    const command = new Command(t, ['run', fixture(file), '--items', '100000000'])
    await command.shows('stdout', '\n')
    command.child.stdout.destroy()
    const { code, stderr } = await command.end
    assert.match(stderr, /drained in/)
    assert.doesNotMatch(stderr, /EPIPE/)
    assert.equal(code, 0)
  })
}

test('when nobody reads stderr any more, the run goes on', async (t) => {
  const command = new Command(t, ['run', TICKS, '--items', '2000', '--json'])
  command.child.stderr.destroy()
  const end = await command.end
  assert.equal(lastLine(end).outcome, 'completed')
  assert.equal(end.code, 0)
})
