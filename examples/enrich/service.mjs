/**
 * A customer service as others run one: `POST /customers` with a JSON list of numbers gives what it knows of each.
 * It fails now and then, as others do. A program of its own: prints its port, ends with its standard input.
 */
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'

const TIERS = ['basic', 'silver', 'gold']

/** What it knows of a customer. */
export function customerOf(number) {
  return { customer: number, tier: TIERS[number % 3], since: 1990 + (number % 35) }
}

if (import.meta.url === `file://${process.argv[1]}`) serve(Number(process.argv[2] ?? 0.05))

/** @param failing the part of the calls that fail */
function serve(failing) {
  let calls = 0
  let failures = 0
  const server = createServer(async (request, response) => {
    calls++
    const numbers = await json(request).catch(() => undefined)
    if (!Array.isArray(numbers)) return response.writeHead(400).end()
    if (Math.random() < failing) {
      failures++
      return response.writeHead(503).end('try again')
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(numbers.map(customerOf)))
  })
  server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })))
  process.stdin.resume().on('end', () => {
    console.log(JSON.stringify({ calls, failures }))
    server.close()
    server.closeAllConnections()
  })
}
