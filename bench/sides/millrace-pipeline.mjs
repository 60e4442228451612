import { definePipeline, pipeline } from '../millrace.mjs'
import { makerOf, WORKS } from '../work/works.mjs'
import { Outcome } from './outcome.mjs'

/**
 * A thread for each step, or, `fused`, two: the first step in the source's, the others in the sink's. With `batch`, what the
 * work has for an item is done for each of so many in an array, and the queue holds as many fewer.
 */
export default definePipeline(import.meta.url, (settings) => {
  if (settings.batch !== undefined) return inArrays(settings)
  const work = WORKS[settings.work]
  const { capacity, workers = 1, order = 'input' } = settings
  const steps = Object.entries(work.steps)
  const source = pipeline('bench').source('reader', () => read(work, settings))
  if (settings.fused) {
    const [[, first], [, second]] = steps
    return source.map(first).sink('writer', write(work, settings, second), { capacity })
  }
  let stages = source
  for (const [name, step] of steps) stages = stages.stage(name, step, { capacity, workers, order })
  return stages.sink('writer', write(work, settings), { capacity })
})

function inArrays({ batch, capacity: items, ...settings }) {
  const work = WORKS[settings.work]
  const capacity = Math.max(1, Math.floor(items / batch))
  let stages = pipeline('bench').source('reader', () => gather(read(work, settings), batch))
  for (const [name, step] of Object.entries(work.steps)) {
    const ofAll = (array) => array.map(step).filter((item) => item !== undefined)
    stages = stages.stage(name, ofAll, { capacity })
  }
  const { process, ...sink } = write(work, settings)
  const ofEach = (array, checksum) => {
    for (const item of array) process(item, checksum)
  }
  return stages.sink('writer', { ...sink, process: ofEach }, { capacity })
}

function* gather(items, count) {
  let array = []
  for (const item of items) {
    if (array.push(item) < count) continue
    yield array
    array = []
  }
  if (array.length > 0) yield array
}

function* read(work, settings) {
  const make = makerOf(work, settings)
  const { items, warmUp = 0 } = settings
  for (let number = 0; number < items; number++) {
    if (number === 0 && warmUp === 0) new Outcome(settings.memory).begin()
    yield make(number)
  }
}

/** The clock runs from the last item of the warm-up on: what lay in the queues then counts. */
function write(work, { memory, warmUp = 0 }, step) {
  const outcome = new Outcome(memory)
  let left = warmUp
  return {
    open: () => new work.Checksum(),
    process: (item, checksum) => {
      checksum.add(step ? step(item) : item)
      if (left > 0 && --left === 0) outcome.begin()
    },
    flush: (checksum) => outcome.end(checksum),
  }
}
