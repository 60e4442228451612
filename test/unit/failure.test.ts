/** A failure in one line, for logs; and as the command line shows it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { showFailures } from '../../src/cli/show-error.ts'
import { MillraceError } from '../../src/errors.ts'
import { type Failure, makeFailure } from '../../src/observe/failure.ts'

const place = { stage: 's', worker: 0 }
const failed = (thrown: unknown): Failure => makeFailure('MILLRACE_STAGE_FAILED', 'failed', place, thrown)
const ended = (...said: string[]): MillraceError => {
  const words = said.map((line) => `\n  ${line}`).join('')
  return new MillraceError('MILLRACE_COMMAND_FAILED', `it exited; its words on stderr:${words}`)
}

test('what the first line of a message announces stands behind it', () => {
  assert.equal(failed(ended('no disk')).message, 'stage "s" failed: it exited; its words on stderr: no disk')
  assert.equal(
    failed(ended('no disk', '', 'giving up')).message,
    'stage "s" failed: it exited; its words on stderr: no disk | giving up',
  )
  assert.equal(failed(new Error('nothing follows:\n')).message, 'stage "s" failed: Error: nothing follows:')
})

test('of many words the last are shown', () => {
  const { message } = failed(ended(...Array.from({ length: 12 }, () => 'x'.repeat(80)), 'no disk'))
  assert.match(message, /^stage "s" failed: it exited; its words on stderr: \.\.\.x+ \| x.* \| no disk$/)
  assert.ok(message.length < 400, message)
})

test('frames of a stack are no words', () => {
  const { message } = failed(
    ended('Error: nobody heard it', '    at Timeout.run (/app/a.ts:50:13)', 'Node.js v20'),
  )
  assert.match(message, /on stderr: Error: nobody heard it \| Node\.js v20$/)
})

test('a first line that says what happened stands alone', () => {
  const traceback = new Error('ValueError: not this one\nTraceback (most recent call last):\n  File "a.py"')
  assert.equal(failed(traceback).message, 'stage "s" failed: Error: ValueError: not this one')
})

test('the command line shows words line by line, and once', () => {
  const shown = showFailures([failed(ended('no disk', 'giving up'))], false)
  assert.match(
    shown,
    /^millrace: stage "s" failed: it exited; its words on stderr:\n {2}no disk\n {2}giving up\n(?: +at .*\n)*code: /,
  )
  assert.equal(shown.match(/no disk/g)?.length, 1)
})
