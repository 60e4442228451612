// The video example as a person runs it, its model against plain arithmetic, and Ctrl-C in the middle.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import process from 'node:process'
import { motionOf, SMALL_HEIGHT, SMALL_WIDTH } from '../../examples/video/motion.ts'
import { type Box, fill } from '../../examples/video/overlay.ts'
import { start } from '../../src/index.ts'
import { probeMedia } from '../../src/media.ts'
import { prepareExample, runExample, startExample } from '../support/example.ts'
import { makeFolder } from '../support/folder.ts'
import { test, watch } from '../support/harness.ts'
import { ROOT } from '../support/places.ts'
import { lacks } from '../support/programs.ts'
import { randomFrom, seedOfRun } from '../support/random.ts'
import { turn } from '../support/turn.ts'
import scoreFrames, { type ScoredFrame } from './score-frames.ts'

const skip = lacks('ffmpeg', 'ffprobe')

/** Number of the process that began last; never our own. */
function newestOf(pids: string): number {
  const pid = Number(readFileSync(pids, 'utf8').trim().split('\n').at(-1))
  assert.notEqual(pid, process.pid)
  return pid
}

test('video: every frame is in the new video, which has the size and length of the old one', {
  skip,
  deadlineMs: 120_000,
}, async (t) => {
  const out = makeFolder(t)('out.mp4')
  const { code, stderr } = await runExample(t, 'video', '--seconds', '2', '--width', '321', '--out', out)
  assert.equal(code, 0, stderr)
  const { video, durationMs = 0 } = await probeMedia(out)
  assert.deepEqual([video?.width, video?.height, video?.frames, video?.fps], [320, 180, 60, 30])
  assert.ok(Math.abs(durationMs - 2000) < 1, String(durationMs))
})

test('video: Ctrl-C leaves a file that plays, with all frames that were read', {
  skip,
  deadlineMs: 120_000,
}, async (t) => {
  const out = makeFolder(t)('out.mp4')
  // As a terminal does: to all of the group.
  const args = ['video', '--seconds', '3600', '--width', '320', '--out', out]
  const { child, end } = startExample(t, args, { isGroup: true })
  // ffmpeg makes it when the first frame has come to the end.
  while (!existsSync(out)) await turn()
  process.kill(-(child.pid as number), 'SIGINT')
  const { code, stderr } = await end
  assert.equal(code, 130, stderr)
  assert.match(stderr, /motion drained/)
  const encoded = /encode +([\d,]+) +([\d,]+)/.exec(stderr)
  assert.ok(encoded !== null && encoded[1] === encoded[2], stderr)
  assert.equal((await probeMedia(out)).video?.frames, Number(encoded[2]))
})

test('video: of a box that lies partly outside the frame, what is inside is drawn, and nothing else', () => {
  const [width, height] = [16, 8]
  const colour = { y: 200, u: 50, v: 60 }
  const edges = [-20, -4, 0, 6, 12, 20]
  for (const left of edges) {
    for (const top of edges) {
      const box: Box = { left, top, width: 8, height: 4 }
      const data = new Uint8Array((width * height * 3) / 2)
      const more = { index: 0, ptsMs: 0, format: 'yuv420p', rate: '30' } as const
      fill({ ...more, width, height, data }, box, colour)
      const isIn = (x: number, y: number): boolean =>
        x >= left && x < left + box.width && y >= top && y < top + box.height
      const luma = Array.from({ length: width * height }, (_, at) =>
        isIn(at % width, Math.floor(at / width)) ? colour.y : 0,
      )
      const chroma = (level: number): number[] =>
        Array.from({ length: (width * height) / 4 }, (_, at) =>
          isIn((at % (width / 2)) * 2, Math.floor(at / (width / 2)) * 2) ? level : 0,
        )
      assert.deepEqual([...data], [...luma, ...chroma(colour.u), ...chroma(colour.v)], `${left}, ${top}`)
    }
  }
})

test('video: the model computes what the same arithmetic in plain code does', {
  deadlineMs: 120_000,
}, async (t) => {
  await prepareExample('video')
  const folder = path.join(ROOT, 'examples/video')
  const { InferenceSession, Tensor } = createRequire(path.join(folder, 'package.json'))('onnxruntime-node')
  const session = await InferenceSession.create(path.join(folder, 'motion.onnx'), { intraOpNumThreads: 1 })
  const seed = seedOfRun()
  t.diagnostic(`MILLRACE_SEED=${seed}`)
  const random = randomFrom(seed)
  const size = 2 * SMALL_WIDTH * SMALL_HEIGHT
  const pictures = Uint8Array.from(
    { length: size },
    (_, at) => (at % SMALL_WIDTH) + Math.floor(random() * 95),
  )
  const input = new Tensor('float32', Float32Array.from(pictures), [1, 2, SMALL_HEIGHT, SMALL_WIDTH])
  const { grid, score } = await session.run({ pictures: input })
  const expected = motionOf(pictures)
  assert.equal(grid.data.length, expected.grid.length)
  for (const [cell, value] of expected.grid.entries()) assert.ok(Math.abs(grid.data[cell] - value) < 1e-5)
  assert.ok(expected.score > 1e-3)
  assert.ok(Math.abs(score.data[0] - expected.score) < 1e-5, `${score.data[0]}, ${expected.score}`)
  await session.release()
})

test('video: the process of the model is killed ten times, and every frame comes once, in order', {
  skip,
  deadlineMs: 120_000,
}, async (t) => {
  await prepareExample('video')
  const pids = makeFolder(t)('pids')
  const run = watch(start(scoreFrames, { frames: 400, pids }))
  const frames: ScoredFrame[] = []
  const killed = new Set<number>()
  for await (const frame of run) {
    frames.push(frame)
    const pid = newestOf(pids)
    if (killed.size === 10 || killed.has(pid) || frame.index < 30 * (killed.size + 1)) continue
    killed.add(pid)
    process.kill(pid, 'SIGKILL')
  }
  const { outcome, stages } = await run.join()
  assert.equal(outcome, 'completed')
  assert.equal(killed.size, 10)
  assert.equal(stages[1].restarts, 10)
  assert.deepEqual(
    frames.map(({ index }) => index),
    Array.from({ length: 400 }, (_, index) => index),
  )
  assert.ok(frames.every(({ score }) => score > 0.1 && score < 0.9))
})

test('video: a process of the model that is stopped is told of, and goes on when it may', {
  skip,
  deadlineMs: 120_000,
}, async (t) => {
  await prepareExample('video')
  const pids = makeFolder(t)('pids')
  const run = watch(start(scoreFrames, { frames: 100, pids, stuckAfterMs: 300 }))
  let stopped = 0
  const told: string[] = []
  run.on('stuck', ({ stage }) => {
    told.push(stage)
    process.kill(stopped, 'SIGCONT')
  })
  let frames = 0
  for await (const _ of run) {
    frames++
    if (stopped !== 0) continue
    stopped = newestOf(pids)
    process.kill(stopped, 'SIGSTOP')
  }
  await run.join()
  assert.equal(frames, 100)
  assert.equal(told[0], 'score')
})
