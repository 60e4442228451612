// The parts by hand: a queue on a stop event, a stage in a thread, and a run of stages.
import {
  BoundedQueue,
  isMain,
  PipelineManager,
  PipelineStage,
  robustPut,
  SENTINEL,
  StopEvent,
} from 'millrace'

const module = import.meta.url

// What stages do is exported, so that their threads can import it.
export const numbers = [1, 2, 3, 4, 5]
export const square = (number: number) => number * number

if (isMain(import.meta)) {
  await useQueue()
  await useStage()
  await useManager()
}

async function useQueue() {
  const stop = new StopEvent()
  const queue = new BoundedQueue<string>({ capacity: 1, stop })
  console.log(await queue.put('a')) // => ok
  console.log(queue.tryPut('b')) // => full
  console.log(await queue.get()) // => a
  await queue.put('b')
  setImmediate(() => stop.set())
  console.log(await robustPut(queue, 'c', stop)) // => false
}

async function useStage() {
  const stop = new StopEvent()
  const input = new BoundedQueue<number>({ capacity: 2, stop })
  const output = new BoundedQueue<number>({ capacity: 2, stop })
  const stage = new PipelineStage({ name: 'square', module, export: 'square', input, output })
  await stage.start()
  for (const item of [3, 4, SENTINEL] as const) await input.put(item)
  console.log(await output.get(), await output.get()) // => 9 16
  console.log((await output.get()) === SENTINEL) // => true
  console.log((await stage.join()).state) // => done
}

async function useManager() {
  const run = new PipelineManager([
    new PipelineStage({ name: 'numbers', module, export: 'numbers' }),
    new PipelineStage({ name: 'square', module, export: 'square', capacity: 8 }),
    new PipelineStage({ name: 'print', on: 'loop', body: (square: number) => console.log(square) }),
  ])
  const report = await run.start().join()
  // => 1
  // => 4
  // => 9
  // => 16
  // => 25
  console.log(report.outcome) // => completed
}
