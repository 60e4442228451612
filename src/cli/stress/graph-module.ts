/** The module of a random pipeline whose log is in shared memory. */
import { definePipeline } from '../../define/define-pipeline.ts'
import { buildGraph } from './build-graph.ts'
import { GraphLog } from './graph-log.ts'
import type { RunSpec } from './graph-spec.ts'

export interface GraphOptions {
  spec: RunSpec
  /** From `GraphLog.allocate`. */
  log: SharedArrayBuffer
}

export default definePipeline(import.meta.url, ({ spec, log }: GraphOptions) =>
  buildGraph(spec, new GraphLog(spec, log)),
)
