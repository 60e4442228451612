// node:stream, object mode, one thread; the capacity is the highWaterMark.
import { Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { WORKS } from '../work/works.mjs'
import { Outcome, settings } from './outcome.mjs'

const { items, capacity } = settings
const { make, steps, Checksum } = WORKS[settings.work]
const options = { objectMode: true, highWaterMark: capacity }
const outcome = new Outcome()
const checksum = new Checksum()
let number = 0

const reader = new Readable({
  ...options,
  read() {
    while (number < items) if (!this.push(make(number++))) return
    this.push(null)
  },
})
// A transform that calls back with undefined drops the item.
const stages = Object.values(steps).map(
  (step) => new Transform({ ...options, transform: (item, _, done) => done(null, step(item)) }),
)
const writer = new Writable({
  ...options,
  write(item, _, done) {
    checksum.add(item)
    done()
  },
})

outcome.begin()
await pipeline(reader, ...stages, writer)
outcome.end(checksum)
outcome.print()
