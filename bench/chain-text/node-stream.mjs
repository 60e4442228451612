// node:stream, object mode, one thread.
import { Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { report } from '../side.mjs'
import { Checksum, makeLine, reverse, upper } from './work.mjs'

await report(async ({ items, capacity }) => {
  const checksum = new Checksum()
  const options = { objectMode: true, highWaterMark: capacity }
  let number = 0
  const reader = new Readable({
    ...options,
    read() {
      while (number < items) if (!this.push(makeLine(number++))) return
      this.push(null)
    },
  })
  const stage = (work) => new Transform({ ...options, transform: (line, _, done) => done(null, work(line)) })
  const writer = new Writable({
    ...options,
    write(line, _, done) {
      checksum.add(line)
      done()
    },
  })
  await pipeline(reader, stage(upper), stage(reverse), writer)
  return checksum
})
