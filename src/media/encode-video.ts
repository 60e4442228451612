/** A video file out of frames, as a sink. */
import type { StageObject } from '../define/stage-body.ts'
import { MillraceError, show } from '../errors.ts'
import { checkOptions } from '../plan/check-options.ts'
import { Encoder } from './encoder.ts'
import { checkPlace, type MediaPlace, placeOf } from './ffmpeg.ts'
import { ENCODE_VIDEO_OPTIONS, type EncodeVideoOptions } from './media-options.ts'
import { frameBytes } from './pixel-format.ts'
import type { VideoFrame } from './video-frames.ts'

type Checked = EncodeVideoOptions & Required<Pick<EncodeVideoOptions, 'args'>>

/** What is being written; ffmpeg is started by the first frame, which says how large all of them are. */
interface VideoFile {
  /** Of the abort. */
  signal: AbortSignal
  encoder: Encoder | undefined
  first: VideoFrame | undefined
  fps: number
  /** Frames written. */
  written: number
}

/** A gap of more frames than this is closed, not filled. */
const MOST_REPEATS = 250

/**
 * Encodes frames to a video file with ffmpeg: a sink. The file has a constant rate: each frame is shown when its `ptsMs`
 * says, those that are missing before it are filled by it (250 at most), and one too many is left out.
 *
 * All frames have the size and format of the first. They are taken one after the other: `workers` and `concurrency` over 1
 * are refused.
 *
 * When its worker dies, the run fails (`restart: false`): half a file cannot be gone on with. Otherwise the file is
 * complete when the run has ended, also after a drain. On an abort ffmpeg has 1,500 ms to finish what it has; if it does
 * not, the report has a failure that says so, for the file may not play then.
 *
 * @param file a path, or whatever else ffmpeg takes as an output; one that is there is written anew
 * @throws MILLRACE_INVALID_OPTION, MILLRACE_UNKNOWN_OPTION; in the run MILLRACE_MEDIA_FAILED, with ffmpeg's words
 */
export function encodeVideo(
  file: MediaPlace,
  options: EncodeVideoOptions = {},
): StageObject<VideoFrame, Promise<void>, VideoFile> {
  checkPlace('encodeVideo', file)
  const { fps, args } = checkOptions('encodeVideo', ENCODE_VIDEO_OPTIONS, options) as unknown as Checked
  const place = placeOf(file)
  return {
    // A worker that is started again would begin the file anew.
    defaults: { restart: false },
    isSequential: true,
    open: ({ signal }) => ({ signal, encoder: undefined, first: undefined, fps: 0, written: 0 }),
    process: async (frame, video) => {
      checkFrame(frame, video.first)
      video.encoder ??= await begin(frame, video, fps, args, place)
      const times = timesOf(frame, video)
      for (let time = 0; time < times && !video.signal.aborted; time++) {
        await video.encoder.write(frame.data)
        video.written++
      }
    },
    flush: ({ encoder }) => encoder?.finish(),
    close: ({ encoder }) => encoder?.close(),
  }
}

async function begin(
  frame: VideoFrame,
  video: VideoFile,
  fps: number | undefined,
  args: readonly string[],
  place: string,
): Promise<Encoder> {
  const { width, height, format } = frame
  const rate = fps === undefined ? frame.rate : String(fps)
  const [over, under = 1] = rate.split('/').map(Number)
  if (!(over / under > 0)) throw badFrame(`its rate is ${show(rate)}; give encodeVideo the option fps`)
  video.fps = over / under
  // Its bytes may be gone when the next one comes.
  video.first = { ...frame, data: new Uint8Array(0) }
  // Few players show what keeps all colours.
  const pixels = args.includes('-pix_fmt') ? [] : ['-pix_fmt', 'yuv420p']
  return Encoder.start(
    {
      args: [
        ...['-f', 'rawvideo', '-pix_fmt', format, '-s', `${width}x${height}`, '-r', rate, '-i', 'pipe:0'],
        ...pixels,
        ...args,
        ...['-y', place],
      ],
      what: `encode ${show(place)}`,
    },
    video.signal,
  )
}

/** How often a frame is written, so that the next one is shown in time: once, where the frames come at that rate. */
function timesOf({ ptsMs }: VideoFrame, { first, fps, written }: VideoFile): number {
  const place = Math.round(((ptsMs - (first?.ptsMs ?? 0)) / 1000) * fps)
  if (!Number.isFinite(place)) return 1
  const times = place - written + 1
  return times > MOST_REPEATS ? 1 : Math.max(0, times)
}

function checkFrame({ width, height, format, data }: VideoFrame, first: VideoFrame | undefined): void {
  const bytes = frameBytes(format, width, height)
  if (data.byteLength !== bytes)
    throw badFrame(`${width} x ${height} "${format}" has ${bytes} bytes, and it has ${data.byteLength}`)
  if (first === undefined) return
  if (first.width === width && first.height === height && first.format === format) return
  const was = `${first.width} x ${first.height} "${first.format}"`
  throw badFrame(`it is ${width} x ${height} "${format}", and the first was ${was}`)
}

function badFrame(why: string): MillraceError {
  return new MillraceError('MILLRACE_BAD_FRAME', `a frame cannot be encoded: ${why}`)
}
