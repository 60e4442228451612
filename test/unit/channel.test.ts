import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { type Duplex, PassThrough } from 'node:stream'
import { test } from 'node:test'
import { Channel, frameOf, type Message } from '../../src/host/process/channel.ts'
import { encodeToScratch } from '../../src/queue/codec/encode.ts'
import { makeFolder } from '../support/folder.ts'

test('what was gathered is written at the end of the process; not once the pipe is closed, whose number another file may have', (t) => {
  const file = makeFolder(t)('file')
  const writtenAtExit = (isClosed: boolean): number => {
    const fd = openSync(file, 'w')
    const pipe = new PassThrough()
    const channel = new Channel(pipe, pipe, () => {})
    channel.send(1, 1, 'answer')
    if (isClosed) pipe.destroy()
    channel.flushAtExit(fd)
    closeSync(fd)
    return readFileSync(file).length
  }
  assert.notEqual(writtenAtExit(false), 0)
  assert.equal(writtenAtExit(true), 0)
})

test('what a process has answered is heard, though it is gone when the next message is sent to it', {
  skip: process.platform === 'linux' ? false : 'looks into /proc',
}, async () => {
  const frame = frameOf(7, 9, encodeToScratch('answer'))
  const script = `require('node:fs').writeSync(4, Buffer.from('${frame.toString('hex')}', 'hex'))`
  const child = spawn(process.execPath, ['-e', script], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'pipe'],
  })
  const [questions, answers] = child.stdio.slice(3) as Duplex[]
  // The event loop does not turn meanwhile: nothing is read before the process is gone.
  while (!isDead(child.pid as number));
  const messages: Message[] = []
  const channel = new Channel(answers, questions, (message) => messages.push(message))
  channel.send(1, 1, 'question')
  channel.flush()
  await channel.closed
  assert.deepEqual(messages, [{ kind: 7, id: 9, value: 'answer' }])
  channel.destroy()
})

/** As Linux says it: it has ended, and nobody has asked how. */
function isDead(pid: number): boolean {
  return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}
