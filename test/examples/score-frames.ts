// Frames through a model in a process of its own, which notes who it is.
import { appendFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { definePipeline, pipeline } from 'millrace'
import { type VideoFrame, videoFrames } from 'millrace/media'
import { inference } from 'millrace/onnx'
import { ROOT } from '../support/places.ts'

const VIDEO = pathToFileURL(path.join(ROOT, 'examples/video/'))

export interface ScoredFrame {
  index: number
  score: number
}

const OPTIONS = {
  frames: { type: 'integer' },
  /** File that the process writes its number to, a line each. */
  pids: { type: 'string' },
  stuckAfterMs: { type: 'number', default: 60_000 },
} as const

export default definePipeline(import.meta.url, OPTIONS, ({ frames, pids, stuckAfterMs }) =>
  pipeline('score-frames')
    .source(
      'decode',
      videoFrames(`testsrc2=size=160x90:rate=50:duration=${frames / 50}`, {
        format: 'gray',
        inputArgs: ['-f', 'lavfi'],
      }),
    )
    .stage(
      'score',
      inference({
        model: new URL('motion.onnx', VIDEO),
        runtime: async () => {
          appendFileSync(pids, `${process.pid}\n`)
          return createRequire(new URL('package.json', VIDEO))('onnxruntime-node')
        },
        inputs: { pictures: { dims: [1, 2, 90, 160], read: withBlackBefore } },
        outputs: { score: [1, 1, 1, 1] },
        result: ({ index }: VideoFrame, { score }): ScoredFrame => {
          return { index, score: Number(score[0]) }
        },
        batch: { max: 4 },
      }),
      { restart: { limit: Number.POSITIVE_INFINITY, delayMs: 1, factor: 1 }, stuckAfterMs },
    ),
)

function withBlackBefore({ data }: VideoFrame): Uint8Array {
  const pictures = new Uint8Array(2 * data.length)
  pictures.set(data, data.length)
  return pictures
}
