// Millrace: four stages that have worked and now wait for the next item, which the program has not got.
import { start } from '../millrace.mjs'
import { measureIdle } from './idle.mjs'
import definition from './idle-millrace-pipeline.mjs'

const ITEMS = 1000
let goOn
const wait = new Promise((resolve) => {
  goOn = resolve
})

async function* feed() {
  for (let number = 0; number < ITEMS; number++) yield number
  await wait
}

const run = start(definition, {}, { input: feed() })
const outputs = run[Symbol.asyncIterator]()
for (let number = 0; number < ITEMS; number++) await outputs.next()
const outcome = await measureIdle()
goOn()
await outputs.next()
await run.join()
outcome.print()
