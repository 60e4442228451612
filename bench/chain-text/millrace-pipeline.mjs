import { definePipeline, pipeline } from 'millrace'
import { Checksum, makeLine, reverse, upper } from './work.mjs'

export default definePipeline(import.meta.url, ({ items, capacity, memory }) =>
  pipeline('chain-text')
    .source('reader', () => readAll(items, memory))
    .stage('upper', upper, { capacity })
    .stage('reverse', reverse, { capacity })
    .sink(
      'writer',
      {
        open: () => new Checksum(),
        process: (line, checksum) => checksum.add(line),
        close: ({ count, sum }) => {
          new Float64Array(memory).set([performance.timeOrigin + performance.now(), count, sum], 1)
        },
      },
      { capacity },
    ),
)

function* readAll(items, memory) {
  // Every thread is open now: start-up is another scenario's business.
  new Float64Array(memory)[0] = performance.timeOrigin + performance.now()
  for (let number = 0; number < items; number++) yield makeLine(number)
}
