import { definePipeline, pipeline } from '../millrace.mjs'
import { Latencies, makeItem, Outcome, pass } from './latency.mjs'

export default definePipeline(import.meta.url, ({ items, memory, samples }) => {
  const outcome = new Outcome(memory)
  const latencies = new Latencies(samples)
  let count = 0
  return pipeline('latency')
    .source('reader', function* () {
      outcome.begin()
      for (let number = 0; number < items; number++) yield makeItem()
    })
    .stage('a', pass)
    .stage('b', pass)
    .sink('writer', {
      process: (item) => latencies.add(count++, item),
      flush: () => outcome.end({ count, sum: 0 }),
    })
})
