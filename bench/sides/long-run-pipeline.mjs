import { definePipeline, pipeline } from '../millrace.mjs'
import { Outcome } from './outcome.mjs'

export const SAMPLES = 20

/** Numbers, through one hop; the sink looks at the memory of the process twenty times. */
export default definePipeline(import.meta.url, ({ items, capacity, memory, samples }) => {
  const outcome = new Outcome(memory)
  const rssMb = new Float64Array(samples)
  let count = 0
  let sum = 0
  return pipeline('long-run')
    .source('source', function* () {
      outcome.begin()
      for (let number = 0; number < items; number++) yield number
    })
    .sink(
      'sink',
      {
        process: (number) => {
          sum = (Math.imul(sum, 31) + number) | 0
          if (++count % (items / SAMPLES) !== 0) return
          rssMb[(count * SAMPLES) / items - 1] = process.memoryUsage.rss() / 2 ** 20
        },
        flush: () => outcome.end({ count, sum }),
      },
      { capacity },
    )
})
