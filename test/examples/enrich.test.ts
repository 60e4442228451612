// The whole example: its service, its kills, its own comparison at the end.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { prepareExample, runExample } from '../support/example.ts'
import { makeFolder } from '../support/folder.ts'
import { test } from '../support/harness.ts'
import { ROOT } from '../support/places.ts'

const HERE = path.join(ROOT, 'examples/enrich')

/** Each kill is one more start, and starts are what it takes the time for: MILLRACE_EXAMPLES=full for more of both. */
const isFull = process.env.MILLRACE_EXAMPLES === 'full'
const [rows, kills] = isFull ? [60_000, 3] : [12_000, 1]

test(`enrich: a service that fails 5 % of the calls, ${kills} kills, and every order is where it belongs`, {
  deadlineMs: 200_000,
}, async (t) => {
  const { code, stdout, stderr } = await runExample(t, 'enrich', '--rows', `${rows}`, '--kills', `${kills}`)
  // One of fifty is broken.
  const count = (part: number) => (rows * part).toLocaleString('en-US')
  assert.ok(stdout.includes(`orders in the database: ${count(0.98)} of ${count(0.98)} valid ones`), stderr)
  assert.ok(stdout.includes(`dead letters: ${count(0.02)} of ${count(0.02)} broken ones`), stdout)
  assert.equal(stdout.match(/killed it/g)?.length, kills)
  assert.doesNotMatch(stderr, /Warning/)
  assert.equal(code, 0)
})

async function startService(t: TestContext) {
  const service = spawn(process.execPath, [path.join(HERE, 'service.mjs'), '0'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.after(() => service.kill())
  const [line] = await once(createInterface({ input: service.stdout }), 'line')
  const end = async (): Promise<void> => {
    service.stdin.end()
    await once(service, 'close')
  }
  return { url: `http://127.0.0.1:${JSON.parse(line).port}`, end }
}

test('enrich: rows that are no orders are dead letters, whatever is wrong with them, and no others are', {
  deadlineMs: 120_000,
}, async (t) => {
  await prepareExample('enrich')
  const service = await startService(t)
  const place = makeFolder(t)
  const run = async (file: string) => {
    const options = {
      file,
      service: service.url,
      db: place('orders.db'),
      checkpoint: place('checkpoint.json'),
    }
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
    const command = [path.join(ROOT, 'dist/cli/main.js'), 'run', path.join(HERE, 'pipeline.ts'), ...args]
    const child = spawn(process.execPath, command, { stdio: ['ignore', 'inherit', 'pipe'] })
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
    return { stderr, code }
  }
  const found = (query: string): object[] => {
    const database = new (createRequire(path.join(HERE, 'package.json'))('libsql'))(place('orders.db'))
    const rows = database.prepare(query).raw().all()
    database.close()
    return rows
  }
  const order = (number: number, amount: string, note: string): string =>
    `${amount},${number},7,a@example.org,${note},EUR\n`

  const file = place('orders.csv')
  const rows = [
    order(1, '12.5', ''),
    order(2, '', ''),
    order(3, '0x10', ''),
    order(4, '4', '5" pipe'),
    order(5, '5', '"say ""5"",\nthen leave"'),
    order(6, '6', '"5" pipe'),
    order(7, '7', 'the last').replace('EUR', '5" pipe'),
    order(8, '8', ''),
  ]
  writeFileSync(file, `\ufeffamount,order,customer,email,note,currency\n${rows.join('')}`)
  const first = await run(file)
  assert.equal(first.code, 0, first.stderr)
  const orders = [
    [1, 12.5],
    [5, 5],
    [8, 8],
  ]
  assert.deepEqual(found('SELECT id, amount FROM orders ORDER BY id'), orders)
  assert.deepEqual(found('SELECT row FROM rejects ORDER BY row').flat(), [2, 3, 4, 6, 7])

  appendFileSync(file, order(9, '9.5', '') + order(10, '-1', ''))
  const second = await run(file)
  assert.equal(second.code, 0, second.stderr)
  assert.deepEqual(found('SELECT id, amount FROM orders ORDER BY id'), [...orders, [9, 9.5]])
  assert.deepEqual(found('SELECT row FROM rejects ORDER BY row').flat(), [2, 3, 4, 6, 7, 10])

  writeFileSync(place('other.csv'), 'order,email\n1,a@example.org\n')
  const other = await run(place('other.csv'))
  assert.equal(other.code, 1)
  assert.match(other.stderr, /must name the columns, and lacks customer, amount, currency/)
  await service.end()
})
