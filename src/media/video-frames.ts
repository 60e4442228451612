/** The frames of a video, as a source. */
import { makeDecoder } from '../command/frame-decoder.ts'
import { withFile } from '../define/file-use.ts'
import type { SourceObject } from '../define/stage-body.ts'
import { show } from '../errors.ts'
import { checkOptions } from '../plan/check-options.ts'
import { checkPlace, type MediaPlace, placeOf } from './ffmpeg.ts'
import { VIDEO_FRAMES_OPTIONS, type VideoFramesOptions } from './media-options.ts'
import { mediaSource } from './media-source.ts'
import { frameBytes, type PixelFormat } from './pixel-format.ts'
import { probeMedia, requireStream, type VideoInfo } from './probe-media.ts'

export interface VideoFrame {
  /** From 0. */
  index: number
  /** When it is to be shown, in milliseconds from the beginning of the video. */
  ptsMs: number
  width: number
  height: number
  format: PixelFormat
  /** Frames a second, as a fraction: '30000/1001'. */
  rate: string
  /** The shape of a pixel, its width to its height: '16:11'. Default '1:1': it is square. */
  sampleAspectRatio?: string
  /** The rows from the top, without gaps. */
  data: Uint8Array
}

type Checked = VideoFramesOptions & Required<Pick<VideoFramesOptions, 'format' | 'inputArgs'>>

/** The line that ffmpeg says of each frame before it writes it. */
const SHOWN = /\[Parsed_showinfo_\d+ .*\] n: *\d+ pts: *\S+ +pts_time:(\S+)/

/**
 * The frames of a video, decoded by ffmpeg in a process of its own: a source. A drain ends it at once.
 *
 * @param file a path, a URL, a device, or a generator: whatever ffmpeg takes, with `inputArgs` where it needs them
 * @throws MILLRACE_INVALID_OPTION, MILLRACE_UNKNOWN_OPTION; in the run MILLRACE_MEDIA_FAILED, with ffmpeg's words
 * @example
 * pipeline('shrink')
 *   .source('decode', videoFrames('holiday.mov', { width: 640 }))
 *   .sink('encode', encodeVideo('small.mp4'))
 */
export function videoFrames(file: MediaPlace, options: VideoFramesOptions = {}): SourceObject<VideoFrame> {
  checkPlace('videoFrames', file)
  const checked = checkOptions('videoFrames', VIDEO_FRAMES_OPTIONS, options) as unknown as Checked
  const { format, inputArgs, fps } = checked
  const place = placeOf(file)
  const source = mediaSource<VideoFrame>(async (ctx) => {
    const video = requireStream((await probeMedia(file, inputArgs, ctx.signal)).video, 'video', place)
    const { width, height } = sizeOf(video, checked)
    const rate = fps === undefined ? video.rate : String(fps)
    const { sampleAspectRatio } = video
    // With both edges given the shape is the caller's.
    const isSquare =
      sampleAspectRatio === '1:1' || (checked.width !== undefined && checked.height !== undefined)
    const shape = isSquare ? {} : { sampleAspectRatio }
    const times: number[] = []
    let timesTaken = 0
    const filters = [`scale=${width}:${height}`, `format=${format}`, 'showinfo=checksum=0']
    if (fps !== undefined) filters.unshift(`fps=${fps}`)
    return {
      args: [
        ...inputArgs,
        ...['-i', place, '-map', '0:v:0', '-vf', filters.join(',')],
        ...['-fps_mode', 'passthrough', '-f', 'rawvideo', 'pipe:1'],
      ],
      what: `decode ${show(place)}`,
      decoder: makeDecoder({ bytes: frameBytes(format, width, height) }, 0, (bytes) => ctx.alloc(bytes)),
      onLine: (line) => {
        const time = SHOWN.exec(line)?.[1]
        if (time !== undefined) times.push(Number(time) * 1000)
      },
      toItem: (data, index) => {
        if (index >= timesTaken + times.length) return undefined
        const ptsMs = times.shift() as number
        timesTaken++
        return { index, ptsMs, width, height, format, rate, ...shape, data }
      },
    }
  })
  return withFile(source, place)
}

function sizeOf(video: VideoInfo, { width, height }: VideoFramesOptions): { width: number; height: number } {
  const even = (edge: number): number => Math.max(2, 2 * Math.round(edge / 2))
  if (width !== undefined && height !== undefined) return { width, height }
  if (width !== undefined) return { width, height: even((width * video.height) / video.width) }
  if (height !== undefined) return { width: even((height * video.width) / video.height), height }
  return { width: video.width, height: video.height }
}
