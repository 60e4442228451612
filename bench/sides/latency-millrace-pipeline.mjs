import { definePipeline, pipeline } from '../millrace.mjs'
import { Latencies, makeItem, Outcome, pass } from './latency.mjs'

/** With a `gate` the source waits until the sink has let the next item in; else the run itself must see to that. */
export default definePipeline(import.meta.url, ({ items, memory, samples, gate }) => {
  const outcome = new Outcome(memory)
  const latencies = new Latencies(samples)
  const arrived = gate && new Int32Array(gate)
  let count = 0
  return pipeline('latency')
    .source('reader', function* () {
      outcome.begin()
      for (let number = 0; number < items; number++) {
        if (arrived) waitUntil(arrived, number)
        yield makeItem()
      }
    })
    .stage('a', pass)
    .stage('b', pass)
    .sink('writer', {
      process: (item) => {
        latencies.add(count++, item)
        if (arrived === undefined) return
        Atomics.store(arrived, 0, count)
        Atomics.notify(arrived, 0)
      },
      flush: () => outcome.end({ count, sum: 0 }),
    })
})

function waitUntil(arrived, number) {
  for (let seen = Atomics.load(arrived, 0); seen < number; seen = Atomics.load(arrived, 0)) {
    Atomics.wait(arrived, 0, seen)
  }
}
