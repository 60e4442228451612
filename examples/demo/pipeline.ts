// Reader -> UpperCase -> Reverse -> Writer: four threads, joined by bounded queues.
import { definePipeline, pipeline } from 'millrace'
import { writeLines } from 'millrace/sinks'
import { readLines } from 'millrace/sources'

const TEXT = new URL('./alice.txt', import.meta.url)

export default definePipeline(
  import.meta.url,
  {
    file: { type: 'string', optional: true, doc: 'Text to read. Default: the one beside the pipeline.' },
    duration: { type: 'number', optional: true, min: 0, doc: 'Generate lines for so many seconds instead.' },
    out: { type: 'string', optional: true, doc: 'File to write. Default: standard output.' },
    capacity: { type: 'integer', default: 32, min: 1, doc: 'Lines that each queue holds at most.' },
    'fail-at': { type: 'integer', optional: true, min: 1, doc: 'Reverse throws at this line.' },
    'slow-ms': { type: 'number', default: 0, min: 0, doc: 'Milliseconds that the writer takes for a line.' },
  },
  ({ file, duration, out, capacity, 'fail-at': failAt, 'slow-ms': slowMs }) =>
    pipeline('demo')
      .source('reader', () =>
        duration === undefined ? readLines(file ?? TEXT, { keepCr: true }) : generateLines(duration),
      )
      .stage('upper', (line) => line.toUpperCase(), { capacity })
      .stage(
        'reverse',
        (line, ctx) => {
          if (ctx.item === failAt) throw new Error(`asked to fail at item ${failAt}`)
          return [...line].reverse().join('')
        },
        { capacity },
      )
      .sink('writer', slowed(writeLines(out ?? process.stdout.fd), slowMs), { capacity }),
)

function* generateLines(seconds: number): Generator<string> {
  const end = performance.now() + seconds * 1000
  for (let number = 1; performance.now() < end; number++) yield `line ${number} of the mill race`
}

/** The same sink, but each line takes a while. */
function slowed(sink: ReturnType<typeof writeLines>, ms: number): ReturnType<typeof writeLines> {
  if (ms === 0) return sink
  const clock = new Int32Array(new SharedArrayBuffer(4))
  return {
    ...sink,
    process: (line, file, ctx) => {
      Atomics.wait(clock, 0, 0, ms)
      sink.process(line, file, ctx)
    },
  }
}
