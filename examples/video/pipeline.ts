// A video -> small pictures -> how much moves, and where, by a model -> drawn into the frames -> a video.
import { readFileSync } from 'node:fs'
import { definePipeline, type HostName, pipeline } from 'millrace'
import { encodeVideo, type VideoFrame, videoFrames } from 'millrace/media'
import { inference } from 'millrace/onnx'
import { CELL, COLUMNS, SMALL_HEIGHT, SMALL_WIDTH, shrinker } from './motion.ts'
import { BLACK, fill, outline, write, YELLOW } from './overlay.ts'

interface Scored {
  frame: VideoFrame
  score: number
  /** The cell of the model's grid in which most has changed. */
  cell: number
}

export default definePipeline(
  import.meta.url,
  {
    file: { type: 'string', optional: true, doc: 'Video to read. Default: one that ffmpeg makes up.' },
    out: { type: 'string', default: 'motion.mp4', doc: 'Video to write.' },
    seconds: { type: 'number', default: 10, min: 0.1, doc: 'Length of the video that is made up.' },
    width: {
      type: 'integer',
      optional: true,
      min: 16,
      doc: "Width of the new video. Default: the old one's.",
    },
    on: { type: 'string', default: 'process', doc: 'Where the model computes: process or thread.' },
    codec: { type: 'string', default: 'libx264', doc: "Encoder, by ffmpeg's name." },
    preset: { type: 'string', optional: true, doc: 'How thoroughly it compresses, by its own names: slow.' },
  },
  ({ file, out, seconds, width, on, codec, preset }) =>
    pipeline('motion')
      .source(
        'decode',
        videoFrames(file ?? madeUp(seconds), {
          format: 'yuv420p',
          ...(width === undefined ? {} : { width }),
          ...(file === undefined ? { inputArgs: ['-f', 'lavfi'] } : {}),
        }),
      )
      .stage(
        'resize',
        {
          open: (): { shrink?: (plane: Uint8Array) => Uint8Array; before?: Uint8Array } => ({}),
          process: (frame, last) => {
            const { width, height, data } = frame
            last.shrink ??= shrinker(width, height)
            const now = last.shrink(data.subarray(0, width * height))
            const pictures = new Uint8Array(2 * SMALL_WIDTH * SMALL_HEIGHT)
            pictures.set(last.before ?? now)
            pictures.set(now, now.length)
            last.before = now
            return { frame, pictures }
          },
        },
        { capacity: 4 },
      )
      .stage(
        'score',
        inference({
          model: new URL('./motion.onnx', import.meta.url),
          runtime: () => import('onnxruntime-node'),
          inputs: {
            pictures: { dims: [1, 2, SMALL_HEIGHT, SMALL_WIDTH], read: ({ pictures }: Pair) => pictures },
          },
          outputs: { grid: [1, 1, SMALL_HEIGHT / CELL, COLUMNS], score: [1, 1, 1, 1] },
          result: ({ frame }, { grid, score }): Scored => {
            return { frame, score: Number(score[0]), cell: largestOf(grid as Float32Array) }
          },
          batch: { max: 4 },
        }),
        { capacity: 8, on: on as HostName },
      )
      .stage(
        'overlay',
        ({ frame, score, cell }) => {
          draw(frame, score, cell)
          return frame
        },
        { capacity: 4 },
      )
      .sink(
        'encode',
        encodeVideo(out, {
          // Most encoders take even sizes only.
          args: [
            '-vf',
            'crop=trunc(iw/2)*2:trunc(ih/2)*2',
            '-c:v',
            codec,
            ...(preset === undefined ? [] : ['-preset', preset]),
          ],
        }),
        { capacity: 4 },
      ),
)

interface Pair {
  frame: VideoFrame
  /** The small picture before, and the one now. */
  pictures: Uint8Array
}

/** Two squares that go their ways before colours that change slowly: a graph of ffmpeg's own generators. */
function madeUp(seconds: number): string {
  return readFileSync(new URL('./made-up.filter', import.meta.url), 'utf8').replace(
    'SECONDS',
    String(seconds),
  )
}

function largestOf(grid: Float32Array): number {
  let largest = 0
  for (let cell = 1; cell < grid.length; cell++) if (grid[cell] > grid[largest]) largest = cell
  return largest
}

function draw(frame: VideoFrame, score: number, cell: number): void {
  const scale = { x: (frame.width / SMALL_WIDTH) * CELL, y: (frame.height / SMALL_HEIGHT) * CELL }
  const column = cell % COLUMNS
  const row = Math.floor(cell / COLUMNS)
  // The cell and those around it.
  const box = {
    left: (column - 1) * scale.x,
    top: (row - 1) * scale.y,
    width: 3 * scale.x,
    height: 3 * scale.y,
  }
  if (score > 0) outline(frame, box, YELLOW)
  const unit = frame.height / 180
  fill(frame, { left: 8 * unit, top: 8 * unit, width: 50 * unit, height: 22 * unit }, BLACK)
  write(frame, `${(score * 100).toFixed(1).padStart(5)}%`, 12 * unit, 12 * unit, YELLOW)
  fill(
    frame,
    { left: 12 * unit, top: 24 * unit, width: Math.min(1, score * 10) * 42 * unit, height: 3 * unit },
    YELLOW,
  )
}
