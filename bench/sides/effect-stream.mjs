// Effect's Stream, one fiber in one thread; the capacity is the size of its chunks.
import { Effect, Stream } from 'effect'
import { WORKS } from '../work/works.mjs'
import { Outcome, settings } from './outcome.mjs'

const { items, capacity } = settings
const { make, steps, Checksum } = WORKS[settings.work]

function* read() {
  for (let number = 0; number < items; number++) yield make(number)
}

const outcome = new Outcome()
const checksum = new Checksum()
let stream = Stream.fromIterable(read(), { chunkSize: capacity })
for (const step of Object.values(steps)) stream = Stream.map(stream, step)
stream = Stream.filter(stream, (item) => item !== undefined)
const program = Stream.runForEachArray(stream, (chunk) =>
  Effect.sync(() => {
    for (const item of chunk) checksum.add(item)
  }),
)

outcome.begin()
await Effect.runPromise(program)
outcome.end(checksum)
outcome.print()
