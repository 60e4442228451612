/** The module of a random pipeline for a command line of its own: its sinks print what they get. */
import { definePipeline } from '../../define/define-pipeline.ts'
import { writeAllSync } from '../../host/write-sync.ts'
import { buildGraph } from './build-graph.ts'
import { drawGraph } from './draw-graph.ts'

const STDOUT = 1

export default definePipeline(import.meta.url, { seed: { type: 'integer' } }, ({ seed }) =>
  buildGraph(drawGraph(seed, 'sigint'), {
    // One write of less than a pipe takes at once: lines of several threads do not mix.
    note: (place, id) => void writeAllSync(STDOUT, Buffer.from(`${JSON.stringify([place, id])}\n`)),
    noteEnd: () => {},
  }),
)
