// A CSV of orders -> checked -> completed by a service -> SQLite, in transactions; killed, it goes on where it was.
import { createReadStream } from 'node:fs'
import { pipeline as join } from 'node:stream'
import { type Options, type Parser, parse } from 'csv-parse'
import Database from 'libsql'
import { definePipeline, pipeline, type StageContext, track } from 'millrace'
import { Pool } from 'undici'
import { z } from 'zod'

/** Written as people write it: `Number` would take nothing for 0, and 0x10 for 16. */
const decimal = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/, 'Invalid input: expected a decimal number')
  .transform(Number)

const Order = z.object({
  order: decimal.pipe(z.number().int().positive()),
  customer: decimal.pipe(z.number().int().positive()),
  email: z.email(),
  amount: decimal.pipe(z.number().nonnegative()),
  currency: z.enum(['EUR', 'USD', 'GBP', 'JPY']),
})

type Order = z.infer<typeof Order>

interface Customer {
  customer: number
  tier: string
  since: number
}

interface Row {
  /** Number of the row, from 1. */
  row: number
  fields: Record<string, string>
  /** Its quotes are not as a CSV has them, so where its fields end is a guess. */
  isTorn?: true
}

interface Header {
  columns: string[]
  /** Of the mark of the encoding, if there is one, and of the header with its end of line. */
  bytes: number
}

/** Where the source was: bytes into the file, rows read. */
interface Position {
  offset: number
  row: number
}

export default definePipeline(
  import.meta.url,
  {
    file: { type: 'string', doc: 'CSV to read.' },
    db: { type: 'string', doc: 'SQLite database to write.' },
    service: { type: 'string', doc: 'URL of the customer service.' },
    checkpoint: { type: 'string', doc: 'File that remembers how far it has come.' },
    'orders-per-call': { type: 'integer', default: 50, min: 1, doc: 'Orders that one call asks for.' },
    'calls-per-second': { type: 'integer', default: 5000, min: 1, doc: 'What the service allows.' },
  },
  ({ file, db, service, checkpoint, 'orders-per-call': ordersPerCall, 'calls-per-second': calls }) =>
    pipeline('enrich')
      .source('read', (ctx) => readRows(file, ctx), { checkpoint, checkpointMs: 200 })
      // A row that is no order throws, and goes to the dead letters.
      .stage('check', checkRow, { capacity: 1024, onError: 'dead-letter' })
      .batch({ size: ordersPerCall, withinMs: 100 })
      .stage(
        'look-up',
        {
          open: () => new Pool(service, { connections: 8 }),
          process: lookUp,
          close: (pool) => pool.close(),
        },
        {
          capacity: 1024,
          concurrency: 8,
          rateLimit: { items: calls, perMs: 1000 },
          retry: { attempts: 10, delayMs: 20, jitter: 0.5, if: isWorthAnotherTry },
        },
      )
      .unbatch()
      .batch({ size: 1000, withinMs: 200 })
      .sink(
        'store',
        {
          open: () => openDatabase(db),
          process: (orders, database) => storeOrders(database, orders),
          close: (database) => database.close(),
        },
        { capacity: 4096 },
      )
      .deadLetters('rejects', {
        open: () => {
          const database = openDatabase(db)
          return { database, insert: database.prepare('INSERT OR REPLACE INTO rejects VALUES (?, ?, ?)') }
        },
        process: ({ input, error }, { insert }) => {
          const { row, fields } = input as Row
          insert.run(row, JSON.stringify(fields), error.message)
        },
        close: ({ database }) => database.close(),
      }),
)

const FIELD = /(?:"[^"]*(?:""[^"]*)*"|[^",\r\n]*)/.source
/** A row as a CSV has it: quotes are around a field, and within it are doubled. */
const ROW = new RegExp(`^${FIELD}(?:,${FIELD})*[\\r\\n]*$`)

/** The rows of the file, from where an earlier run was. Each knows the position behind it. */
async function* readRows(file: string, ctx: StageContext) {
  const { columns, bytes } = await readHeader(file)
  const { offset, row: before } = (ctx.position ?? { offset: bytes, row: 0 }) as Position
  const rows = openCsv(file, offset, {
    columns,
    info: true,
    // A row that lacks a field, or has a quote too many, is for the check to refuse.
    relax_column_count: true,
    relax_quotes: true,
    raw: true,
  })
  let row = before
  for await (const { info, record: fields, raw } of rows) {
    row++
    const position: Position = { offset: offset + info.bytes, row }
    const isTorn = raw.includes('"') && !ROW.test(raw)
    yield track<Row>(isTorn ? { row, fields, isTorn } : { row, fields }, { position })
  }
}

/** Also where an earlier run has read it: what it says holds for all rows. */
async function readHeader(file: string): Promise<Header> {
  for await (const { info, record: columns } of openCsv(file, 0, { bom: true, info: true, to: 1 })) {
    const missing = Object.keys(Order.shape).filter((name) => !columns.includes(name))
    if (missing.length === 0) return { columns, bytes: info.bytes }
    throw new Error(`${file}: its first line must name the columns, and lacks ${missing.join(', ')}`)
  }
  throw new Error(`${file} is empty: its first line must name the columns`)
}

/** Whichever of the two ends, or fails, takes the other with it. */
function openCsv(file: string, offset: number, options: Options): Parser {
  return join(createReadStream(file, { start: offset }), parse(options), () => {})
}

function checkRow({ fields, isTorn }: Row): Order {
  if (isTorn) throw new Error('a quote stands in a field that is not quoted, or is not doubled')
  const { data, error } = Order.safeParse(fields)
  if (data === undefined) throw new Error(z.prettifyError(error))
  return data
}

async function lookUp(orders: Order[], pool: Pool, ctx: StageContext): Promise<(Order & Customer)[]> {
  const { statusCode, body } = await pool.request({
    method: 'POST',
    path: '/customers',
    body: JSON.stringify(orders.map(({ customer }) => customer)),
    signal: ctx.signal,
  })
  if (statusCode !== 200) {
    await body.dump()
    throw Object.assign(new Error(`the service answered ${statusCode}`), { statusCode })
  }
  const customers = (await body.json()) as Customer[]
  return orders.map((order, index) => ({ ...order, ...customers[index] }))
}

/** What the service itself refuses will be refused again; what broke on the way, or at its end, may not. */
function isWorthAnotherTry(error: unknown): boolean {
  const { statusCode = 500 } = error as { statusCode?: number }
  return statusCode >= 500
}

function openDatabase(file: string): Database.Database {
  const database = new Database(file)
  // Two stages write it; each waits for the other's transaction.
  database.pragma('busy_timeout = 10000')
  useWriteAheadLog(database)
  database.pragma('synchronous = NORMAL')
  database.exec(`
    CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, customer INTEGER, email TEXT, amount REAL,
      currency TEXT, tier TEXT, since INTEGER);
    CREATE TABLE IF NOT EXISTS rejects (row INTEGER PRIMARY KEY, fields TEXT, error TEXT);`)
  return database
}

/** Where both stages open a new file at once, SQLite refuses one of them this step, however long it may wait. */
function useWriteAheadLog(database: Database.Database): void {
  for (let triesLeft = 100; ; triesLeft--) {
    try {
      database.pragma('journal_mode = WAL')
      return
    } catch (error) {
      if (triesLeft === 0 || !/locked/.test(String(error))) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }
}

/** One transaction. An order that is there already, from before a kill, is written again as it was. */
function storeOrders(database: Database.Database, orders: readonly (Order & Customer)[]): void {
  const insert = database.prepare('INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)')
  database
    .transaction(() => {
      for (const { order, customer, email, amount, currency, tier, since } of orders)
        insert.run(order, customer, email, amount, currency, tier, since)
    })
    .immediate()
}
