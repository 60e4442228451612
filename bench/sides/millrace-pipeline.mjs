import { definePipeline, pipeline } from '../millrace.mjs'
import { makerOf, WORKS } from '../work/works.mjs'
import { Outcome } from './outcome.mjs'

/** A thread for each step, or, `fused`, two: the first step in the source's, the others in the sink's. */
export default definePipeline(import.meta.url, (settings) => {
  const work = WORKS[settings.work]
  const { capacity, workers = 1, order = 'input', memory } = settings
  const steps = Object.entries(work.steps)
  const source = pipeline('bench').source('reader', () => read(work, settings))
  if (settings.fused) {
    const [[, first], [, second]] = steps
    return source.map(first).sink('writer', write(work, memory, second), { capacity })
  }
  let stages = source
  for (const [name, step] of steps) stages = stages.stage(name, step, { capacity, workers, order })
  return stages.sink('writer', write(work, memory), { capacity })
})

function* read(work, settings) {
  const make = makerOf(work, settings)
  const { items, warmUp = 0 } = settings
  for (let number = 0; number < items; number++) {
    if (number === warmUp) new Outcome(settings.memory).begin()
    yield make(number)
  }
}

function write(work, memory, step) {
  return {
    open: () => new work.Checksum(),
    process: step ? (item, checksum) => checksum.add(step(item)) : (item, checksum) => checksum.add(item),
    flush: (checksum) => new Outcome(memory).end(checksum),
  }
}
