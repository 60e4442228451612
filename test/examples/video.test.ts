// The video example as a person runs it, its model against plain arithmetic, and Ctrl-C in the middle.
import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import process from 'node:process'
import { motionOf, SMALL_HEIGHT, SMALL_WIDTH } from '../../examples/video/motion.ts'
import { probeMedia } from '../../src/media.ts'
import { prepareExample, ROOT, runExample, startExample } from '../support/example.ts'
import { makeFolder } from '../support/folder.ts'
import { test } from '../support/harness.ts'
import { lacks } from '../support/programs.ts'
import { randomFrom, seedOfRun } from '../support/random.ts'
import { turn } from '../support/turn.ts'

const skip = lacks('ffmpeg', 'ffprobe')

test('video: every frame is in the new video, which has the size and length of the old one', {
  skip,
  deadlineMs: 120_000,
}, async (t) => {
  const out = makeFolder(t)('out.mp4')
  const { code, stderr } = await runExample(t, 'video', '--seconds', '2', '--width', '320', '--out', out)
  assert.equal(code, 0, stderr)
  const { video, durationMs = 0 } = await probeMedia(out)
  assert.deepEqual([video?.width, video?.height, video?.frames, video?.fps], [320, 180, 60, 30])
  assert.ok(Math.abs(durationMs - 2000) < 1, String(durationMs))
})

test('video: Ctrl-C leaves a file that plays, with all frames that were read', {
  skip,
  deadlineMs: 120_000,
}, async (t) => {
  const out = makeFolder(t)('out.mkv')
  // As a terminal does: to all of the group.
  const args = ['video', '--seconds', '3600', '--width', '320', '--out', out]
  const { child, end } = startExample(t, args, { isGroup: true })
  while (!existsSync(out) || statSync(out).size < 10_000) await turn()
  process.kill(-(child.pid as number), 'SIGINT')
  const { code, stderr } = await end
  assert.equal(code, 130, stderr)
  assert.match(stderr, /motion drained/)
  const encoded = /encode +([\d,]+) +([\d,]+)/.exec(stderr)
  assert.ok(encoded !== null && encoded[1] === encoded[2], stderr)
  const { durationMs = 0 } = await probeMedia(out)
  const frames = Number(encoded[2].replace(',', ''))
  assert.ok(Math.abs(durationMs - (frames * 1000) / 30) < 40, `${durationMs} ms, ${frames} frames`)
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
