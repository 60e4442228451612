// Piscina: frames are moved to a worker and back for each step, and used again.
import { Piscina } from 'piscina'
import { Checksum, FRAME_BYTES, fill } from '../work/frames.mjs'
import { Outcome, settings } from './outcome.mjs'

const { items, capacity } = settings
const pool = new Piscina({
  filename: new URL('frames-piscina-worker.mjs', import.meta.url).href,
  minThreads: 2,
  maxThreads: 2,
  concurrentTasksPerWorker: 4,
})
const run = (name, frame) => pool.run(frame, { name, transferList: [frame.buffer] })
const processAll = async (frame) => run('invert', await run('stamp', frame))

const outcome = new Outcome()
const checksum = new Checksum()
let free = Array.from({ length: capacity }, () => new Uint8Array(FRAME_BYTES))
// The threads must be up before the clock runs.
free = await Promise.all(free.map(processAll))
outcome.begin()
const underWay = []
for (let number = 0; number < items; number++) {
  if (free.length === 0) await takeOldest()
  underWay.push(processAll(fill(free.pop(), number)))
}
while (underWay.length > 0) await takeOldest()
outcome.end(checksum)
outcome.print()
await pool.destroy()

async function takeOldest() {
  const frame = await underWay.shift()
  checksum.add(frame)
  free.push(frame)
}
