// Video and sound in and out by ffmpeg: frames with their times, files that play however the run ended, its own words.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import path from 'node:path'
import process from 'node:process'
import type { TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { makeDecoder } from '../../src/command/frame-decoder.ts'
import type { SourceObject, StageObject } from '../../src/define/stage-body.ts'
import { show } from '../../src/errors.ts'
import { type PipelineError, pipeline, start } from '../../src/index.ts'
import { mediaSource } from '../../src/media/media-source.ts'
import {
  type AudioWindow,
  audioSamples,
  encodeAudio,
  encodeVideo,
  probeMedia,
  type VideoFrame,
  videoFrames,
} from '../../src/media.ts'
import encodeFrames from '../fixtures/pipelines/encode-frames.ts'
import media, { watcher } from '../fixtures/pipelines/media.ts'
import { makeFolder } from '../support/folder.ts'
import { test, watch } from '../support/harness.ts'
import { planOf, refuses } from '../support/plans.ts'
import { lacks } from '../support/programs.ts'
import { until } from '../support/turn.ts'

/** A file that nobody can write. */
const NOWHERE = '/no/such/folder/a.mkv'
const LOOP = { on: 'loop' } as const
const skip = lacks('ffmpeg', 'ffprobe')

async function outputsOf<T>(options: { kind: string; input: string }): Promise<T[]> {
  const outputs: unknown[] = []
  for await (const output of watch(start(media, options))) outputs.push(output)
  return outputs as T[]
}

async function itemsOf<T extends object>(source: SourceObject<T>): Promise<T[]> {
  const items: unknown[] = []
  for await (const item of watch(start(pipeline('read').source('read', source, { on: 'loop' }))))
    items.push(item)
  return items as T[]
}

async function readAll(run: AsyncIterable<unknown> & { join(): Promise<unknown> }): Promise<void> {
  for await (const _ of run);
  await run.join()
}

async function failureIn(run: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = await run.then(
    () => assert.fail('it did not fail'),
    (error: PipelineError) => error,
  )
  const [{ code, message }] = error.failures as [{ code: string; message: string }]
  return { code, message }
}

function failureOf(options: { kind: string; input: string; out?: string }) {
  return failureIn(readAll(watch(start(media, options))))
}

test('frames of a video lie in slabs from where they are read', { skip }, async () => {
  const run = watch(start(media, { kind: 'frames', input: 'color=size=64x36:rate=25:duration=0.2' }))
  let frames = 0
  for await (const _ of run) frames++
  const { slabs } = (await run.join()).stages[0]
  assert.equal(frames, 5)
  assert.deepEqual([slabs?.allocated, slabs?.copied, slabs?.held, slabs?.inUse], [5, 0, 0, 0])
})

test('frames come with their times, sizes and pixels', { skip }, async () => {
  const frames = await outputsOf<VideoFrame>({
    kind: 'frames',
    input: 'color=c=0xff0000:size=64x36:rate=25:duration=0.2',
  })
  assert.deepEqual(
    frames.map(({ index, ptsMs }) => [index, ptsMs]),
    [0, 1, 2, 3, 4].map((index) => [index, index * 40]),
  )
  for (const { data, ...frame } of frames) {
    const { width, height, format, rate } = frame
    assert.deepEqual(
      { width, height, format, rate },
      { width: 64, height: 36, format: 'rgb24', rate: '25/1' },
    )
    assert.equal(data.length, 64 * 36 * 3)
    assert.ok(data[0] > 250 && data[1] < 5 && data[2] < 5, String(data.subarray(0, 3)))
  }
})

test('what is decoded and encoded has as many frames, of the same size, for as long', { skip }, async (t) => {
  const out = makeFolder(t)('out.mp4')
  const input = 'testsrc2=size=96x64:rate=30000/1001:duration=2'
  const report = await watch(start(media, { kind: 'copy', input, out })).join()
  const { video, durationMs = 0 } = await probeMedia(out)
  assert.equal(video?.frames, report.stages.at(-1)?.out)
  assert.deepEqual([video?.width, video?.height, video?.rate, video?.frames], [96, 64, '30000/1001', 60])
  assert.ok(Math.abs(durationMs - 2002) < 2, String(durationMs))

  const scaled = await outputsOf<VideoFrame>({ kind: 'file', input: out })
  assert.deepEqual([scaled.length, scaled[0].width, scaled[0].height], [60, 40, 26])
})

test('pixels that are not square stay so, also beside filters of the caller, and where a video is turned', {
  skip,
}, async (t) => {
  const input = 'color=size=72x56:rate=25:duration=0.2,setsar=16/11'
  const place = makeFolder(t)
  const aspectOf = async (file: string) => (await probeMedia(file)).video?.sampleAspectRatio
  const copyOf = async (name: string, from: SourceObject<VideoFrame>, args: string[] = []) => {
    const copy = pipeline('copy')
      .source('read', from, LOOP)
      .sink('write', encodeVideo(place(name), { args }), LOOP)
    await watch(start(copy)).join()
    return aspectOf(place(name))
  }
  const made = () => videoFrames(input, { inputArgs: ['-f', 'lavfi'], format: 'yuv420p' })
  assert.equal(await copyOf('a.mp4', made()), '16:11')
  assert.equal(await copyOf('b.mp4', made(), ['-vf', 'crop=64:48']), '16:11')
  assert.equal(await copyOf('c.mp4', made(), ['-aspect', '4:3']), '28:27')
  assert.equal(await copyOf('h.mp4', made(), ['-filter', 'hflip']), '16:11')
  assert.equal(await copyOf('i.mp4', made(), ['-lavfi', 'hflip']), '1:1')
  assert.equal(await copyOf('d.mp4', videoFrames(place('a.mp4'), { width: 36 })), '16:11')
  assert.equal(await copyOf('e.mp4', videoFrames(place('a.mp4'), { width: 32, height: 32 })), '1:1')
  assert.equal(await aspectOf(place('a.mp4')), '16:11')

  const turn = [
    '-v',
    'error',
    '-i',
    place('a.mp4'),
    '-c',
    'copy',
    '-metadata:s:v:0',
    'rotate=90',
    place('f.mp4'),
  ]
  spawnSync('ffmpeg', turn)
  const [frame] = await itemsOf(videoFrames(place('f.mp4')))
  assert.deepEqual([frame.width, frame.height, frame.sampleAspectRatio], [56, 72, '11:16'])
  assert.equal(await copyOf('g.mp4', videoFrames(place('f.mp4'))), '11:16')
  const [square] = await itemsOf(videoFrames(place('e.mp4')))
  assert.ok(!('sampleAspectRatio' in square))
})

for (const how of ['drain', 'abort'] as const) {
  test(`a file that was being written plays after ${how}: all that was encoded is in it`, {
    skip,
  }, async (t) => {
    const out = makeFolder(t)('out.mp4')
    const run = watch(start(media, { kind: 'copy', input: 'testsrc2=size=320x180:rate=25', out }))
    // Not before ffmpeg has some of them: before that there is no file.
    watcher.onFrame = () => {
      if ((run.report?.stages.at(-1)?.out ?? 0) >= 30) run[how]()
    }
    const report = await run.join()
    assert.equal(report.outcome, how === 'drain' ? 'drained' : 'aborted')
    const { video, durationMs = 0 } = await probeMedia(out)
    const frames = video?.frames ?? 0
    if (how === 'drain') assert.equal(frames, report.stages.at(-1)?.out)
    assert.ok(frames > 0 && Math.abs(durationMs - frames * 40) < 1, `${frames} frames, ${durationMs} ms`)
  })
}

/** These lines of a shell in place of ffmpeg, for this process. */
function inPlaceOfFfmpeg(t: TestContext, lines: readonly string[]): void {
  const place = makeFolder(t)
  writeFileSync(place('ffmpeg'), ['#!/bin/sh', ...lines].join('\n'), { mode: 0o755 })
  const { PATH } = process.env
  process.env.PATH = `${path.dirname(place('ffmpeg'))}${path.delimiter}${PATH}`
  t.after(() => {
    process.env.PATH = PATH
  })
}

/** Takes no notice of SIGTERM. The file `begun` is there when it has done the first. */
function stubbornFfmpeg(t: TestContext, first: string): string {
  const begun = makeFolder(t)('begun')
  inPlaceOfFfmpeg(t, ["trap '' TERM", first, `: > '${begun}'`, 'while :; do sleep 1; done'])
  return begun
}

// A frame that it does not read to its end is in hand; it has all, and is not done with it.
for (const [when, first] of [
  ['takes no frame', ':'],
  ['is at its end', 'cat > /dev/null'],
] as const) {
  test(`an abort while ffmpeg ${when}, and does not finish in time, is told with the file's name`, async (t) => {
    const begun = stubbornFfmpeg(t, first)
    const { rate, format, index, ptsMs } = gray(0, 0)
    const large = { rate, format, index, ptsMs, width: 512, height: 512, data: new Uint8Array(2 ** 18) }
    const frames = pipeline('one').source('frame', () => [large], { on: 'loop' })
    const run = watch(start(frames.sink('write', encodeVideo('a.mp4'), { on: 'loop' })))
    await until(() => existsSync(begun))
    run.abort()
    const report = await run.join()
    assert.deepEqual(
      report.failures.map(({ code, stage }) => [code, stage]),
      [['MILLRACE_MEDIA_FAILED', 'write']],
    )
    assert.match(
      report.failures[0].message,
      /ffmpeg cannot encode 'a\.mp4': it did not finish the file within 1,500 ms, and was killed: what is there may not play$/,
    )
    assert.equal(report.outcome, 'aborted')
  })
}

function gray(index: number, ptsMs: number): VideoFrame {
  const data = new Uint8Array(16 * 16).fill(index)
  return { index, ptsMs, width: 16, height: 16, format: 'gray', rate: '25/1', data }
}

async function encodedFile(t: TestContext, times: readonly number[]): Promise<string> {
  const out = makeFolder(t)('out.mp4')
  await watch(start(encodeFrames, { out }, { input: times.map((ptsMs, index) => gray(index, ptsMs)) })).join()
  return out
}

async function encoded(t: TestContext, times: readonly number[]): Promise<number | undefined> {
  return (await probeMedia(await encodedFile(t, times))).video?.frames
}

test('arguments before the input may be ffmpeg’s alone, and those of raw video and sound', {
  skip,
}, async (t) => {
  const file = await encodedFile(t, [0, 40, 80, 120, 160])
  const inputArgs = ['-ss', '0.08', '-accurate_seek', '-c:v', 'h264']
  const times = (await itemsOf(videoFrames(file, { inputArgs }))).map(({ ptsMs }) => ptsMs)
  assert.deepEqual(times, [0, 40, 80])

  const raw = makeFolder(t)('raw')
  writeFileSync(raw, new Uint8Array(16 * 16 * 3 * 2))
  const ofFrames = ['-f', 'rawvideo', '-s', '16x16', '-pix_fmt', 'rgb24', '-r', '10']
  const frames = await itemsOf(videoFrames(raw, { inputArgs: ofFrames }))
  assert.deepEqual(
    frames.map(({ ptsMs, width, height, rate }) => [ptsMs, width, height, rate]),
    [
      [0, 16, 16, '10/1'],
      [100, 16, 16, '10/1'],
    ],
  )
  const [window] = await itemsOf(audioSamples(raw, { inputArgs: ['-t', '1', '-f', 's16le', '-ar', '8000'] }))
  assert.deepEqual([window.rate, window.samples.length], [8000, 768])
})

test('frames that are missing are filled, and those that are too many left out', { skip }, async (t) => {
  assert.equal(await encoded(t, [0, 40, 80, 200, 240]), 7)
  assert.equal(await encoded(t, [1000, 1020, 1040, 1060, 1080]), 3)
  assert.equal(await encoded(t, [0, 40, 80, 0, 40, 80]), 6)
  assert.equal(await encoded(t, [0, 60_000, 60_080]), 4)
  assert.equal(await encoded(t, [0, 12_000]), 301)
})

test('a frame of another size than the first fails, and says so', { skip }, async (t) => {
  const out = makeFolder(t)('out.mp4')
  const input = [gray(0, 0), { ...gray(1, 40), height: 8, data: new Uint8Array(128) }]
  const error = await watch(start(encodeFrames, { out }, { input }))
    .join()
    .catch((error) => error)
  assert.match(error.failures[0].message, /it is 16 x 8 "gray", and the first was 16 x 16 "gray"/)
})

/** What is said of this item, which is no frame or no window. */
async function refusalOf<R>(item: unknown, sink: StageObject<never, unknown, R>): Promise<string> {
  const items = pipeline('bad').source('item', () => [item as never], { on: 'loop' })
  const { code, message } = await failureIn(watch(start(items.sink('write', sink, { on: 'loop' }))).join())
  assert.equal(code, 'MILLRACE_BAD_FRAME')
  return message
}

test('what is no frame is refused, and what is wrong with it is said', async () => {
  const refused: [unknown, string][] = [
    ['x', "a frame is an object, and it is 'x'"],
    [[gray(0, 0)], 'a frame is an object, and it is '],
    [
      { ...gray(0, 0), sampleAspectRatio: '16/11' },
      "its sampleAspectRatio must be a text such as '16:11', and is '16/11'",
    ],
    [
      { format: 'yuv422p' },
      "its format must be one of rgb24, bgr24, rgba, bgra, gray, yuv420p, and is 'yuv422p'",
    ],
    [{ format: undefined }, 'yuv420p, and is undefined'],
    [{ width: undefined }, 'its width must be an integer from 1 on, and is undefined'],
    [
      { rate: undefined },
      "its rate must be a text such as '25/1', and is undefined; or give encodeVideo the option fps",
    ],
    [{ rate: 25 }, 'and is 25; or'],
    [{ rate: '1/0' }, "and is '1/0'; or"],
    [{ data: undefined }, 'its data must be a Uint8Array, and is undefined'],
    [{ data: new ArrayBuffer(256) }, 'its data must be a Uint8Array, and is ArrayBuffer'],
  ]
  for (const [item, words] of refused) {
    const isPart = typeof item === 'object' && !Array.isArray(item)
    const message = await refusalOf(isPart ? { ...gray(0, 0), ...item } : item, encodeVideo(NOWHERE))
    assert.ok(message.includes(`a frame cannot be encoded: `) && message.includes(words), message)
  }
})

test('what is no window of samples is refused, and what is wrong with it is said', async () => {
  const window = { index: 0, ptsMs: 0, rate: 8000, channels: 2, samples: new Float32Array(4) }
  const refused: [object, string][] = [
    [{ samples: new Float64Array(2) }, 'its samples must be a Float32Array, and are Float64Array(2)'],
    [{ samples: [0, 0] }, 'its samples must be a Float32Array, and are [ 0, 0 ]'],
    [{ samples: new Float32Array(3) }, '3 samples are not as many in each of 2 channels'],
    [{ rate: undefined }, 'its rate must be an integer from 1 on, and is undefined'],
    [{ channels: 0 }, 'its channels must be an integer from 1 on, and is 0'],
  ]
  for (const [part, words] of refused) {
    const message = await refusalOf({ ...window, ...part }, encodeAudio(NOWHERE))
    assert.ok(message.includes(`a window cannot be encoded: ${words}`), message)
  }
})

test('samples come in windows, the last one shorter, and can be encoded again', { skip }, async (t) => {
  const windows = await outputsOf<AudioWindow>({
    kind: 'windows',
    input: 'sine=frequency=1000:sample_rate=8000:duration=0.3',
  })
  assert.deepEqual(
    windows.map(({ ptsMs, samples }) => [ptsMs, samples.length]),
    [
      [0, 1000],
      [125, 1000],
      [250, 400],
    ],
  )
  // ffmpeg's sine has an amplitude of an eighth: its power is half of the square of that.
  const power = windows[1].samples.reduce((sum, sample) => sum + sample * sample, 0) / 1000
  assert.ok(Math.abs(power - 1 / 128) < 1e-4, String(power))

  const out = makeFolder(t)('out.wav')
  const input = 'sine=frequency=440:sample_rate=22050:duration=1.5'
  await watch(start(media, { kind: 'encode-audio', input, out })).join()
  const { audio, durationMs = 0 } = await probeMedia(out)
  assert.deepEqual([audio?.rate, audio?.channels], [22_050, 2])
  assert.ok(Math.abs(durationMs - 1500) < 1, String(durationMs))
})

test('what is no video, or not there, or cannot be written, fails in ffmpeg’s own words', {
  skip,
}, async (t) => {
  const place = makeFolder(t)
  writeFileSync(place('text'), 'no video at all')
  const sound = await failureOf({ kind: 'frames', input: 'sine=duration=1' })
  const text = await failureOf({ kind: 'file', input: place('text') })
  const missing = await failureOf({ kind: 'file', input: place('missing') })
  const unknown = await failureOf({ kind: 'copy', input: 'testsrc2=duration=1', out: place('out.nothing') })
  const found = [sound, text, missing, unknown]
  assert.deepEqual([...new Set(found.map(({ code }) => code))], ['MILLRACE_MEDIA_FAILED'])
  const messages = found.map(({ message }) => message)
  assert.match(messages[0], /'sine=duration=1' has no video in it/)
  assert.match(messages[1], /Invalid data found when processing input/)
  assert.match(messages[2], /No such file or directory/)
  assert.match(messages[3], /Unable to find a suitable output format for/)
})

/** Takes what a run logs as warnings. */
function loggerInto(said: unknown[]) {
  const ignore = (): void => {}
  return {
    debug: ignore,
    info: ignore,
    error: ignore,
    warn: (...words: unknown[]) => said.push(words.at(-1)),
  }
}

test('where nothing comes to be encoded nothing is written, and that is logged', async (t) => {
  const out = makeFolder(t)('out.mkv')
  const said: unknown[] = []
  const logger = loggerInto(said)
  const frames = pipeline('none').source('none', (): VideoFrame[] => [], LOOP)
  const windows = pipeline('none').source('none', (): AudioWindow[] => [], LOOP)
  await watch(start(frames.sink('write', encodeVideo(out), LOOP), {}, { logger })).join()
  await watch(start(windows.sink('write', encodeAudio(out), LOOP), {}, { logger })).join()
  assert.deepEqual(said, Array(2).fill(`nothing came to be encoded: '${out}' is not written`))
  assert.ok(!existsSync(out))
})

test('a frame that ffmpeg ended without a word about fails', { skip }, async () => {
  const silent = mediaSource<object>(async () => ({
    args: [
      '-f',
      'lavfi',
      '-i',
      'color=size=16x16:duration=0.04',
      '-f',
      'rawvideo',
      '-pix_fmt',
      'gray',
      'pipe:1',
    ],
    what: 'decode it',
    decoder: makeDecoder({ bytes: 256 }, 0, (bytes) => new Uint8Array(bytes)),
    toItem: () => undefined,
  }))
  const { code, message } = await failureIn(itemsOf(silent))
  assert.equal(code, 'MILLRACE_MEDIA_FAILED')
  assert.match(message, /ffmpeg cannot decode it: it did not say when frame 0 is shown$/)
})

for (const how of ['drain', 'abort'] as const) {
  for (const [kind, read] of [
    ['frames', videoFrames],
    ['samples', audioSamples],
  ] as const) {
    test(`a server that does not say what it has, asked for ${kind}, is no longer waited for after ${how}`, {
      skip,
    }, async () => {
      const server = createServer((socket) => {
        socket.on('error', () => {}).resume()
        run[how]()
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const place = `http://127.0.0.1:${(server.address() as AddressInfo).port}/camera`
      const source = pipeline('camera').source('read', read(place) as SourceObject<unknown>, { on: 'loop' })
      const run = watch(start(source.sink('end', () => {}, { on: 'loop' })))
      const { outcome, failures } = await run.join()
      server.close()
      await once(server, 'close')
      assert.deepEqual([outcome, failures], [how === 'drain' ? 'drained' : 'aborted', []])
    })
  }
}

test('a wrong option is told before anything starts', () => {
  assert.throws(() => videoFrames('a.mp4', { width: 0 }), {
    code: 'MILLRACE_INVALID_OPTION',
    message: 'videoFrames: width must be an integer from 1 to 16,384, got 0',
  })
  assert.throws(() => videoFrames('a.mp4', { size: 1 } as never), { code: 'MILLRACE_UNKNOWN_OPTION' })
  assert.throws(() => videoFrames(''), { code: 'MILLRACE_INVALID_OPTION' })
  assert.throws(() => videoFrames('a.mp4', { inputArgs: ['-v', 'error'] }), {
    code: 'MILLRACE_INVALID_OPTION',
    message: /^videoFrames: inputArgs must be .* without -v and -loglevel, got \[ '-v', 'error' \]$/,
  })
  assert.throws(() => audioSamples('a.mp3', { inputArgs: ['-loglevel', 'quiet'] }), {
    code: 'MILLRACE_INVALID_OPTION',
  })
})

test('what writes a file is not started again: it would begin anew', () => {
  assert.deepEqual(encodeVideo('a.mp4').defaults, { restart: false })
  assert.deepEqual(encodeAudio('a.wav').defaults, { restart: false })
})

test('what writes a file cannot have several frames or windows in hand', () => {
  const frames = pipeline('p').source('read', videoFrames('a.mov'))
  const sound = pipeline('p').source('read', audioSamples('a.mp3'))
  const words = 'must be 1 on a stage that takes its items one after the other, got 2'
  for (const option of ['workers', 'concurrency'] as const) {
    const message = `stage "write": ${option} ${words}`
    const options = { [option]: 2 }
    refuses(frames.sink('write', encodeVideo('a.mp4'), options), 'MILLRACE_INVALID_OPTION', message)
    refuses(sound.sink('write', encodeAudio('a.wav'), options), 'MILLRACE_INVALID_OPTION', message)
  }
})

test('a file that is read is not written by the same pipeline, whatever its path is', (t) => {
  const place = makeFolder(t)
  const file = place('a.mkv')
  writeFileSync(file, 'x')
  symlinkSync(file, place('link.mkv'))
  linkSync(file, place('other.mkv'))
  mkdirSync(place('in'))
  const others = [
    place('link.mkv'),
    place('other.mkv'),
    `${place('in')}/../a.mkv`,
    path.relative(process.cwd(), file),
    pathToFileURL(file),
  ]
  const why = `source "read" reads that file, which would be emptied under it`
  for (const other of [file, ...others]) {
    const video = pipeline('p').source('read', videoFrames(file)).sink('write', encodeVideo(other))
    const sound = pipeline('p').source('read', audioSamples(other)).sink('write', encodeAudio(file))
    const name = show(other instanceof URL ? file : other)
    refuses(video, 'MILLRACE_INVALID_OPTION', `stage "write": file cannot be ${name}: ${why}`)
    refuses(sound, 'MILLRACE_INVALID_OPTION', `stage "write": file cannot be ${show(file)}: ${why}`)
  }
  const frames = pipeline('p').source('read', videoFrames(file))
  const beside = { on: 'process', cwd: path.dirname(file) } as const
  refuses(
    frames.sink('write', encodeVideo('a.mkv'), beside),
    'MILLRACE_INVALID_OPTION',
    `stage "write": file cannot be 'a.mkv': ${why}`,
  )
  planOf(frames.sink('write', encodeVideo('a.mkv')))
  planOf(pipeline('p').source('read', videoFrames('/dev/null')).sink('write', encodeVideo('/dev/null')))
  const graph = videoFrames(`color,${'null,'.repeat(1000)}null`, { inputArgs: ['-f', 'lavfi'] })
  planOf(pipeline('p').source('read', graph).sink('write', encodeVideo(file)))
})

test('a video that is cut off is decoded as far as it goes, and that is logged with its name', {
  skip,
}, async (t) => {
  const place = makeFolder(t)
  const input = 'testsrc2=size=96x64:rate=25:duration=4'
  await watch(start(media, { kind: 'copy', input, out: place('whole.mkv') })).join()
  const whole = readFileSync(place('whole.mkv'))
  writeFileSync(place('cut.mkv'), whole.subarray(0, whole.length / 2))
  const framesOf = async (name: string): Promise<[number, unknown[]]> => {
    const said: unknown[] = []
    const read = pipeline('read')
      .source('read', videoFrames(place(name)), LOOP)
      .sink('end', () => {}, LOOP)
    const report = await watch(start(read, {}, { logger: loggerInto(said) })).join()
    return [report.stages[0].out, said]
  }
  assert.deepEqual(await framesOf('whole.mkv'), [100, []])
  const [frames, said] = await framesOf('cut.mkv')
  assert.ok(frames > 0 && frames < 100, String(frames))
  const cut = `ffmpeg, told to decode ${show(place('cut.mkv'))}, says: File ended prematurely`
  assert.deepEqual(said, [cut])
})

test('what ffmpeg says is wrong is logged where it goes on, and where it fails it is the error', async (t) => {
  const lines = Array.from({ length: 30 }, (_, line) => `[h264 @ 0x${line}] [error] line ${line % 25}`)
  const says = [...lines.map((line) => `echo '${line}' >&2`), 'cat > /dev/null']
  const encode = async (last: string) => {
    inPlaceOfFfmpeg(t, [...says, last])
    const said: unknown[] = []
    const frames = pipeline('one').source('frame', () => [gray(0, 0)], LOOP)
    const run = start(frames.sink('write', encodeVideo('a.mp4'), LOOP), {}, { logger: loggerInto(said) })
    const failure = await watch(run)
      .join()
      .then(
        () => undefined,
        (error: PipelineError) => (error.failures as [{ message: string }])[0].message,
      )
    return { said, failure }
  }
  const who = "ffmpeg, told to encode 'a.mp4', says"
  const twenty = Array.from({ length: 20 }, (_, line) => `${who}: line ${line}`)
  assert.deepEqual(await encode('exit 0'), { said: [...twenty, `${who} 5 more lines`], failure: undefined })
  const { said, failure = '' } = await encode('exit 1')
  assert.deepEqual(said, [])
  assert.match(failure, /ffmpeg cannot encode 'a\.mp4': line 22; .*; line 4$/)
})

test('an ffmpeg that ends in order before the stream does ends it, and its file is complete', {
  skip,
}, async (t) => {
  const place = makeFolder(t)
  const made = { inputArgs: ['-f', 'lavfi'] }
  const shown = pipeline('video')
    .source('read', videoFrames('testsrc2=size=320x180:rate=25', made), LOOP)
    .sink('write', encodeVideo(place('a.mp4'), { args: ['-frames:v', '3'] }), LOOP)
  assert.equal((await watch(start(shown)).join()).outcome, 'completed')
  assert.equal((await probeMedia(place('a.mp4'))).video?.frames, 3)

  const heard = pipeline('sound')
    .source('read', audioSamples('sine=frequency=440', made), LOOP)
    .sink('write', encodeAudio(place('a.wav'), { args: ['-t', '1'] }), LOOP)
  assert.equal((await watch(start(heard)).join()).outcome, 'completed')
  assert.equal((await probeMedia(place('a.wav'))).durationMs, 1000)
})

test('an ffmpeg that fails before the stream ends fails the run', async (t) => {
  inPlaceOfFfmpeg(t, ['exit 1'])
  const frames = pipeline('many').source('frame', () => Array(1000).fill(gray(0, 0)), LOOP)
  const run = start(frames.sink('write', encodeVideo('a.mp4'), LOOP))
  const { message } = await failureIn(watch(run).join())
  assert.match(message, /ffmpeg cannot encode 'a\.mp4': it exited with status 1$/)
})

test('a file whose name begins with a dash is written, and read', { skip }, async (t) => {
  const place = makeFolder(t)
  const before = process.cwd()
  process.chdir(place('.'))
  t.after(() => process.chdir(before))
  const video = pipeline('video').source('frame', () => [gray(0, 0)], LOOP)
  await watch(start(video.sink('write', encodeVideo('-dash.mp4'), LOOP))).join()
  assert.equal((await itemsOf(videoFrames('-dash.mp4'))).length, 1)

  const window = { index: 0, ptsMs: 0, rate: 8000, channels: 1, samples: new Float32Array(8000) }
  const sound = pipeline('sound').source('window', () => [window], LOOP)
  await watch(start(sound.sink('write', encodeAudio('-dash.wav'), LOOP))).join()
  assert.equal((await probeMedia('-dash.wav')).durationMs, 1000)
})
