/** A video file out of frames, as a sink. */
import { withFile } from '../define/file-use.ts'
import { isIntegerFrom, isObject } from '../define/option-table.ts'
import type { StageObject } from '../define/stage-body.ts'
import { MillraceError, show } from '../errors.ts'
import { checkOptions } from '../plan/check-options.ts'
import { SENTINEL, type Sentinel } from '../sentinel.ts'
import { Encoder, finishFile } from './encoder.ts'
import { checkPlace, type MediaPlace, outputOf } from './ffmpeg.ts'
import { FrameClock } from './frame-clock.ts'
import { ENCODE_VIDEO_OPTIONS, type EncodeVideoOptions } from './media-options.ts'
import { frameBytes, isPixelFormat, PIXEL_FORMATS } from './pixel-format.ts'
import type { VideoFrame } from './video-frames.ts'

type Checked = EncodeVideoOptions & Required<Pick<EncodeVideoOptions, 'args'>>

const isRatio = (value: unknown): boolean => typeof value === 'string' && /^[1-9]\d*:[1-9]\d*$/.test(value)
const isEdge = isIntegerFrom(1, Number.MAX_SAFE_INTEGER)

/** What is being written. */
interface VideoFile {
  /** Of the abort. */
  signal: AbortSignal
  begun: Begun | undefined
}

/** By the first frame, which says how large all of them are. */
interface Begun {
  encoder: Encoder
  first: VideoFrame
  clock: FrameClock
}

/**
 * Encodes frames to a video file with ffmpeg: a sink. The file has a constant rate: each frame is shown when its `ptsMs`
 * says, those that are missing before it are filled by it, and one too many is left out. A gap of more than 30 seconds (and
 * 250 frames) is closed; and where times begin again, as with another video, the frame comes next.
 *
 * All frames have the size and format of the first, whose shape of pixels the file has. They are taken one after the
 * other: `workers` and `concurrency` over 1 are refused. Where none comes no file is written; that is logged.
 *
 * When its worker dies, the run fails (`restart: false`): half a file cannot be gone on with. Otherwise the file is
 * complete when the run has ended, also after a drain. On an abort ffmpeg has 1,500 ms to finish what it has; if it does
 * not, the report has a failure that says so, for the file may not play then. Where ffmpeg ends in order by itself, as with
 * `args: ['-t', '10']`, the stream ends.
 *
 * @param file a path, or whatever else ffmpeg takes as an output; one that is there is written anew. Not the file
 * that is being read: it would be emptied when the first frame comes; what a source of `millrace/media` reads is refused
 * @throws MILLRACE_INVALID_OPTION, MILLRACE_UNKNOWN_OPTION; in the run MILLRACE_MEDIA_FAILED, with ffmpeg's words
 */
export function encodeVideo(
  file: MediaPlace,
  options: EncodeVideoOptions = {},
): StageObject<VideoFrame, Promise<undefined | Sentinel>, VideoFile> {
  checkPlace('encodeVideo', file)
  const { fps, args } = checkOptions('encodeVideo', ENCODE_VIDEO_OPTIONS, options) as unknown as Checked
  const place = outputOf(file)
  const sink: StageObject<VideoFrame, Promise<undefined | Sentinel>, VideoFile> = {
    // A worker that is started again would begin the file anew.
    defaults: { restart: false },
    isSequential: true,
    open: ({ signal }) => ({ signal, begun: undefined }),
    process: async (frame, video) => {
      checkFrame(frame, video.begun?.first)
      video.begun ??= await begin(frame, fps, args, place, video.signal)
      const { encoder, clock } = video.begun
      const times = clock.timesOf(frame.ptsMs)
      for (let time = 0; time < times && !video.signal.aborted; time++) {
        if ((await encoder.write(frame.data)) === SENTINEL) return SENTINEL
      }
      return undefined
    },
    flush: ({ begun }, { log }) => finishFile(begun?.encoder, place, log),
    close: ({ begun }, { log }) => begun?.encoder.close(log),
  }
  return withFile(sink, place)
}

async function begin(
  frame: VideoFrame,
  fps: number | undefined,
  args: readonly string[],
  place: string,
  signal: AbortSignal,
): Promise<Begun> {
  const { width, height, format } = frame
  const rate = fps === undefined ? frame.rate : String(fps)
  const clock = new FrameClock(toFps(rate))
  // Few players show what keeps all colours.
  const pixels = args.includes('-pix_fmt') ? [] : ['-pix_fmt', 'yuv420p']
  const input = ['-f', 'rawvideo', '-pix_fmt', format, '-s', `${width}x${height}`, '-r', rate, '-i', 'pipe:0']
  const encoder = await Encoder.start(
    {
      args: [...input, ...pixels, ...withAspect(args, frame.sampleAspectRatio), '-y', place],
      what: `encode ${show(place)}`,
    },
    signal,
  )
  // Its bytes may be gone when the next one comes.
  return { encoder, first: { ...frame, data: new Uint8Array(0) }, clock }
}

const FILTERS = ['-vf', '-filter', '-filter:v', '-filter:v:0']
const GRAPH = /^-\/?(?:lavfi|filter_complex(?:_script)?)$/

/** Raw video has no shape of its pixels. Of a graph of filters, or a shape that the caller gives, nothing is known. */
function withAspect(args: readonly string[], ratio = '1:1'): readonly string[] {
  if (ratio === '1:1' || args.includes('-aspect') || args.some((argument) => GRAPH.test(argument)))
    return args
  const set = `setsar=${ratio.replace(':', '/')}`
  const at = args.findLastIndex((argument) => FILTERS.includes(argument)) + 1
  return at === 0 || at === args.length ? ['-vf', set, ...args] : args.with(at, `${set},${args[at]}`)
}

/** What comes may have been made by anyone. @throws MILLRACE_BAD_FRAME */
function checkFrame(frame: VideoFrame, first: VideoFrame | undefined): void {
  if (!isObject(frame)) throw badFrame(`a frame is an object, and it is ${show(frame)}`)
  const { width, height, format, sampleAspectRatio, data } = frame
  for (const [name, edge] of Object.entries({ width, height })) {
    if (!isEdge(edge)) throw badFrame(`its ${name} must be an integer from 1 on, and is ${show(edge)}`)
  }
  if (sampleAspectRatio !== undefined && !isRatio(sampleAspectRatio))
    throw badFrame(`its sampleAspectRatio must be a text such as '16:11', and is ${show(sampleAspectRatio)}`)
  if (!isPixelFormat(format))
    throw badFrame(`its format must be one of ${PIXEL_FORMATS.join(', ')}, and is ${show(format)}`)
  if (!(data instanceof Uint8Array)) throw badFrame(`its data must be a Uint8Array, and is ${show(data)}`)
  checkSize(frame, first)
}

function checkSize({ width, height, format, data }: VideoFrame, first: VideoFrame | undefined): void {
  const bytes = frameBytes(format, width, height)
  if (data.byteLength !== bytes)
    throw badFrame(`${width} x ${height} "${format}" has ${bytes} bytes, and it has ${data.byteLength}`)
  if (first === undefined) return
  if (first.width === width && first.height === height && first.format === format) return
  const was = `${first.width} x ${first.height} "${first.format}"`
  throw badFrame(`it is ${width} x ${height} "${format}", and the first was ${was}`)
}

/** Frames a second, of a fraction. @throws MILLRACE_BAD_FRAME */
function toFps(rate: unknown): number {
  const [over, under = 1] = typeof rate === 'string' ? rate.split('/').map(Number) : []
  if (over / under > 0 && over / under < Number.POSITIVE_INFINITY) return over / under
  const must = "its rate must be a text such as '25/1'"
  throw badFrame(`${must}, and is ${show(rate)}; or give encodeVideo the option fps`)
}

function badFrame(why: string): MillraceError {
  return new MillraceError('MILLRACE_BAD_FRAME', `a frame cannot be encoded: ${why}`)
}
