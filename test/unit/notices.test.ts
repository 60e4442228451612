/** The order of what workers tell their run, whichever pipe or port is looked at first. */
import assert from 'node:assert/strict'
import { decodeNotice, encodeNotice, type LogNotice } from '../../src/host/notice.ts'
import { POSTED, type PostedNotice, portSink } from '../../src/host/notice-port.ts'
import { DONE, OUTPUT, TOLD } from '../../src/host/process/messages.ts'
import { NoticedInbox } from '../../src/host/process/noticed-inbox.ts'
import { RunNotices } from '../../src/run/run-notices.ts'
import { test } from '../support/harness.ts'
import { turn, until } from '../support/turn.ts'

const notice = (message: string, fields = {}): LogNotice => ({
  kind: 'log',
  level: 'info',
  pipeline: 'p',
  stage: 's',
  worker: 0,
  item: 1,
  fields,
  message,
})

function listen() {
  const heard: string[] = []
  const hear = (_: object, message = ''): void => void heard.push(message)
  const notices = new RunNotices({ debug: hear, info: hear, warn: hear, error: hear }, () => {})
  const sink = () => {
    const line = notices.connect(true)
    assert.ok(line !== undefined)
    return portSink(line.task, () => false)
  }
  return { heard, notices, sink }
}

test('lines of several workers come in the order in which they were told, not in that of their ports', async () => {
  const { heard, notices, sink } = listen()
  const [first, second, third] = [sink(), sink(), sink()]
  third(notice('a'))
  first(notice('b'))
  second(notice('c'))
  third(notice('d'))
  first(notice('e'))
  await until(() => heard.length === 5)
  assert.deepEqual(heard, ['a', 'b', 'c', 'd', 'e'])
  notices.close()
  await turn()
})

test('what was told is taken when the run ends, without a turn of the event loop', () => {
  const { heard, notices, sink } = listen()
  const [first, second] = [sink(), sink()]
  second(notice('a'))
  first(notice('b'))
  notices.close()
  assert.deepEqual(heard, ['a', 'b'])
})

test('what comes while the ports are emptied waits for what was told before it', async () => {
  const { heard, notices } = listen()
  const [first, second] = [notices.connect(true)?.task, notices.connect(true)?.task]
  const order = new Int32Array(first?.order as SharedArrayBuffer)
  const post = (task: typeof first, place: number, message: string): void =>
    task?.port?.postMessage([place, encodeNotice(notice(message))] satisfies PostedNotice)
  // As if both had been told after the emptying began, the one in the port that had been looked at already.
  post(second, 1, 'after')
  notices.drain()
  assert.deepEqual(heard, [])
  post(first, 0, 'before')
  Atomics.store(order, POSTED, 2)
  notices.drain()
  assert.deepEqual(heard, ['before', 'after'])
  // What is kept is taken by itself, without another that would have it looked for.
  post(second, 2, 'last')
  notices.drain()
  Atomics.store(order, POSTED, 3)
  await until(() => heard.length === 3)
  assert.equal(heard[2], 'last')
  notices.close()
  await turn()
})

test('a worker waits while a thousand lines are under way, until it would wait for ever', () => {
  const { heard, notices, sink } = listen()
  const tell = sink()
  // Nobody can take them: this thread is busy telling.
  for (let number = 1; number <= 1001; number++) tell(notice(`${number}`))
  notices.drain()
  assert.equal(heard.length, 1001)
  notices.close()
})

test('what cannot travel is told as text; an item that throws when it is looked at too', () => {
  const fields = {
    ok: new Date(0),
    func: () => {},
    get bad(): number {
      throw new Error('no')
    },
  }
  const shown = { ok: fields.ok, func: fields.func }
  const { fields: came } = decodeNotice(encodeNotice(notice('x', shown))) as LogNotice
  assert.deepEqual(came, { ok: new Date(0), func: '[Function: func]' })
  const { fields: nested } = decodeNotice(encodeNotice(notice('x', { nested: fields }))) as LogNotice
  assert.match(String(nested.nested), /func: \[Function: func\]/)
})

test('what a process sends after a notice waits for it; what came before does not', () => {
  const taken: unknown[] = []
  const inbox = new NoticedInbox(({ kind, value }) => taken.push([kind, value]))
  const add = (kind: number, value?: unknown): void => inbox.add({ kind, id: 1, value })
  const notice = (text: string): void => {
    taken.push(text)
    inbox.noteNotice()
  }
  add(OUTPUT, 1)
  add(TOLD)
  add(OUTPUT, 2)
  add(TOLD)
  add(DONE)
  assert.deepEqual(taken, [[OUTPUT, 1]])
  notice('first')
  assert.deepEqual(taken.slice(1), ['first', [OUTPUT, 2]])
  notice('second')
  notice('third')
  add(TOLD)
  add(OUTPUT, 3)
  assert.deepEqual(taken.slice(3), ['second', [DONE, undefined], 'third', [OUTPUT, 3]])
})

test('what is told in the thread of the run comes after what lies in the ports already', async () => {
  const { heard, notices, sink } = listen()
  const [first, here] = [sink(), notices.connect(false)?.take]
  first(notice('a'))
  here?.(notice('b'))
  first(notice('c'))
  here?.(notice('d'))
  assert.deepEqual(heard, ['a', 'b', 'c', 'd'])
  notices.close()
  await turn()
})
