/**
 * Makes the CSV, starts the service, runs the pipeline until it is done, and looks whether all is there.
 *
 *   --rows N       rows of the CSV. Default 1,000,000
 *   --kills N      ends the pipeline with SIGKILL so often, and starts it again. Default 0
 *   --failing P    part of the calls that the service fails. Default 0.05
 *   --out FOLDER   where to put everything. Default: a folder that is removed at the end
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import Database from 'libsql'
import { writeOrders } from './make-orders.mjs'

const HERE = path.dirname(fileURLToPath(import.meta.url))
const COMMAND = path.join(HERE, '../../dist/cli/main.js')

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    kills: { type: 'string', default: '0' },
    failing: { type: 'string', default: '0.05' },
    out: { type: 'string' },
  },
})
const rows = Number(values.rows)
const kills = Number(values.kills)
const folder = values.out ?? mkdtempSync(path.join(tmpdir(), 'millrace-enrich-'))
mkdirSync(folder, { recursive: true })
const place = (name) => path.join(folder, name)

// Ctrl-C reaches the pipeline too; this program ends after it.
process.on('SIGINT', () => {})
try {
  process.exitCode = await main()
} finally {
  if (values.out === undefined) rmSync(folder, { recursive: true })
}

async function main() {
  console.log(`writing ${format(rows)} orders to ${place('orders.csv')}`)
  const broken = writeOrders(place('orders.csv'), rows)
  const service = await startService()
  const began = performance.now()
  const code = await runWithKills(service.port)
  const seconds = (performance.now() - began) / 1000
  const { calls, failures } = await service.end()
  if (code !== 0) return code
  console.log(`the service was called ${format(calls)} times, and failed ${format(failures)} of them`)
  return compare(broken, seconds)
}

async function startService() {
  const child = spawn(process.execPath, [path.join(HERE, 'service.mjs'), values.failing], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Not of this terminal's Ctrl-C: the pipeline drains, and still needs it.
    detached: true,
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const { value } = await lines.next()
  return {
    port: JSON.parse(value).port,
    end: async () => {
      child.stdin.end()
      return JSON.parse((await lines.next()).value)
    },
  }
}

/** Each kill comes when the run has got a little further than the one before. */
async function runWithKills(port) {
  const share = rows / (kills + 1)
  for (let kill = 1; kill <= kills; kill++) {
    const child = startPipeline(port)
    const ended = once(child, 'close')
    const isThere = await Promise.race([hasReached(share * kill, child), ended.then(() => false)])
    if (!isThere) return (await ended)[0]
    child.kill('SIGKILL')
    await ended
    console.log(
      `killed it: ${format(rowsStored())} orders are stored, it goes on after row ${format(position())}`,
    )
  }
  const [code] = await once(startPipeline(port), 'close')
  return code
}

function startPipeline(port) {
  const options = {
    file: place('orders.csv'),
    db: place('orders.db'),
    service: `http://127.0.0.1:${port}`,
    checkpoint: place('checkpoint.json'),
  }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
  return spawn(process.execPath, [COMMAND, 'run', path.join(HERE, 'pipeline.ts'), ...args], {
    stdio: 'inherit',
  })
}

async function hasReached(row, child) {
  while (position() < row && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20))
  return child.exitCode === null
}

function position() {
  const file = place('checkpoint.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).position.row : 0
}

function rowsStored() {
  return count('SELECT count(*) AS n FROM orders')
}

function count(query) {
  const database = new Database(place('orders.db'))
  try {
    return database.prepare(query).get().n
  } finally {
    database.close()
  }
}

/** The exit code. */
function compare(broken, seconds) {
  const found = {
    orders: rowsStored(),
    complete: count('SELECT count(*) AS n FROM orders WHERE tier IS NOT NULL AND since IS NOT NULL'),
    rejects: count('SELECT count(*) AS n FROM rejects'),
  }
  const isRight =
    found.orders === rows - broken && found.complete === found.orders && found.rejects === broken
  console.log(`orders in the database: ${format(found.orders)} of ${format(rows - broken)} valid ones`)
  console.log(`dead letters: ${format(found.rejects)} of ${format(broken)} broken ones`)
  console.log(`${format(rows / seconds)} rows a second, ${format(kills)} kills counted in`)
  return isRight ? 0 : 1
}

function format(number) {
  return Math.round(number).toLocaleString('en-US')
}
