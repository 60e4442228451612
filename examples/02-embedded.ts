// A pipeline inside an application: fed from an array here, read by `for await` there. Node runs this file itself.
import { definePipeline, isMain, pipeline, start } from 'millrace'

interface Options {
  factor: number
}

const scale = definePipeline(import.meta.url, ({ factor }: Options) =>
  pipeline<number>('scale')
    .stage('multiply', (number) => number * factor)
    .filter((number) => number % 20 === 0)
    .stage('average', {
      // Once in each worker: here a counter, elsewhere a model, a file or a connection.
      open: () => ({ count: 0, sum: 0 }),
      process: (number, seen) => {
        seen.count++
        seen.sum += number
        return { number, average: seen.sum / seen.count }
      },
    }),
)
export default scale

// Every worker imports this file too; only the program that was started goes on from here.
if (isMain(import.meta)) {
  const run = start(scale, { factor: 10 }, { input: [1, 2, 3, 4, 5, 6] })
  for await (const { number, average } of run) console.log(number, average)
  // => 20 20
  // => 40 30
  // => 60 40

  const report = await run.join()
  console.log(report.outcome) // => completed
  for (const { name, in: taken, out, dropped } of report.stages) console.log(name, taken, out, dropped)
  // => input undefined 6 0
  // => multiply 6 3 3
  // => average 3 3 0
  // => output 3 3 0
}
