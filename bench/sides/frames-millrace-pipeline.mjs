import { definePipeline, pipeline } from '../millrace.mjs'
import { Checksum, FRAME_BYTES, fill, invert, stamp } from '../work/frames.mjs'
import { Outcome } from './outcome.mjs'

/** `alloc`: frames lie in memory that the threads share, and are passed on. Otherwise each hop copies them. */
export default definePipeline(import.meta.url, (settings) => {
  const options = { capacity: settings.capacity, capacityBytes: settings.capacity * (FRAME_BYTES + 1024) }
  return pipeline('frames')
    .source('reader', (ctx) => read(settings, ctx))
    .stage('stamp', stamp, options)
    .stage('invert', invert, options)
    .sink(
      'writer',
      {
        open: () => new Checksum(),
        process: (frame, checksum) => checksum.add(frame),
        flush: (checksum) => new Outcome(settings.memory).end(checksum),
      },
      options,
    )
})

function* read({ items, alloc, memory }, ctx) {
  const own = new Uint8Array(FRAME_BYTES)
  new Outcome(memory).begin()
  for (let number = 0; number < items; number++) {
    yield fill(alloc ? ctx.alloc(FRAME_BYTES) : own, number)
  }
}
