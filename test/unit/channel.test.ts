import assert from 'node:assert/strict'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { Channel } from '../../src/host/process/channel.ts'
import { makeFolder } from '../support/folder.ts'

test('what was gathered is written at the end of the process; not once the pipe is closed, whose number another file may have', (t) => {
  const file = makeFolder(t)('file')
  const writtenAtExit = (isClosed: boolean): number => {
    const fd = openSync(file, 'w')
    const pipe = new PassThrough()
    const channel = new Channel(pipe, () => {})
    channel.send(1, 1, 'answer')
    if (isClosed) pipe.destroy()
    channel.flushAtExit(fd)
    closeSync(fd)
    return readFileSync(file).length
  }
  assert.notEqual(writtenAtExit(false), 0)
  assert.equal(writtenAtExit(true), 0)
})
