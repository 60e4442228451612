import { definePipeline, pipeline } from '../millrace.mjs'
import { Outcome } from './outcome.mjs'

const MIB = 2 ** 20

/**
 * `stages` stages that do nothing, between a source of `items` items of `bytes` bytes and a sink.
 *
 * The first `warmUp` items do not count: as many threads compile the same functions as there are stages.
 */
export default definePipeline(import.meta.url, (settings) => {
  const { items, warmUp, stages, workers, capacity, bytes, memory } = settings
  const outcome = new Outcome(memory)
  const capacityBytes = Math.max(16 * MIB, 4 * (bytes + 1024))
  let chain = pipeline('scale').source('source', function* () {
    const item = bytes === 0 ? 1 : new Uint8Array(bytes)
    for (let number = 0; number < warmUp; number++) yield item
    outcome.begin()
    for (let number = 0; number < items; number++) yield item
  })
  for (let stage = 1; stage <= stages; stage++) {
    chain = chain.stage(`stage ${stage}`, (item) => item, { workers, capacity, capacityBytes })
  }
  let count = -warmUp
  return chain.sink(
    'sink',
    {
      process: () => {
        count++
      },
      flush: () => outcome.end({ count, sum: 0 }),
    },
    { capacity, capacityBytes },
  )
})
