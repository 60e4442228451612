// What a program says on stderr, line by line and at the end.
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { StderrTail } from '../../src/host/child/stderr-tail.ts'
import { test } from '../support/harness.ts'

async function linesOf(pieces: string[]): Promise<string[]> {
  const lines: string[] = []
  const stderr = new PassThrough()
  const tail = new StderrTail(stderr, { onStderrLine: (line) => void lines.push(line) })
  for (const piece of pieces) stderr.write(piece)
  stderr.end()
  await tail.read
  return lines
}

test('a long line is told whole, in however many pieces it came', async () => {
  const long = 'x'.repeat(10_000)
  assert.deepEqual(await linesOf(['first\n', long, `${long}\nlast`]), ['first', `${long}${long}`, 'last'])
})

test('a line without an end is told in pieces, and nothing of it is lost', async () => {
  const piece = 'y'.repeat(50_000)
  const lines = await linesOf([piece, piece, piece, piece, piece, '\nlast\n'])
  assert.deepEqual(lines.at(-1), 'last')
  assert.equal(lines.slice(0, -1).join(''), piece.repeat(5))
  assert.ok(lines.every((line) => line.length <= 115_536))
})
