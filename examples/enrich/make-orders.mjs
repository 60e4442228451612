/** Writes the CSV of the example: orders, of which every fiftieth is broken in one of four ways. */
import { closeSync, openSync, writeSync } from 'node:fs'

const CURRENCIES = ['EUR', 'USD', 'GBP', 'JPY']
const CHUNK_ROWS = 5000

/** How each kind of broken order is broken. */
const FAULTS = [
  (order) => ({ ...order, email: `customer ${order.customer} at nowhere` }),
  (order) => ({ ...order, amount: '-1' }),
  (order) => ({ ...order, currency: 'XXX' }),
  ({ order, customer, email }) => ({ order, customer, email }),
]

/** Whether order number `number`, from 1, is broken. */
export function isBroken(number) {
  return number % 50 === 0
}

/** Writes so many orders; how many of them are broken. */
export function writeOrders(file, rows) {
  const fd = openSync(file, 'w')
  writeSync(fd, 'order,customer,email,amount,currency,note\n')
  let lines = ''
  let broken = 0
  for (let number = 1; number <= rows; number++) {
    if (isBroken(number)) broken++
    lines += `${toLine(orderOf(number))}\n`
    if (number % CHUNK_ROWS !== 0 && number !== rows) continue
    writeSync(fd, lines)
    lines = ''
  }
  closeSync(fd)
  return broken
}

function orderOf(number) {
  const customer = ((number * 7919) % 20_011) + 1
  const order = {
    order: number,
    customer,
    email: `customer-${customer}@example.org`,
    amount: ((number * 37) % 100_000) / 100,
    currency: CURRENCIES[number % CURRENCIES.length],
    // Commas, quotes and line ends inside a field: a row is not a line.
    note: number % 1000 === 0 ? `say "${number}",\nthen leave` : '',
  }
  return isBroken(number) ? FAULTS[(number / 50) % FAULTS.length](order) : order
}

function toLine(order) {
  return Object.values(order).map(toField).join(',')
}

function toField(value) {
  return /[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value
}
