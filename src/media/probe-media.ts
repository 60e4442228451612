/** What is in a file, as ffprobe tells it. */
import { text } from 'node:stream/consumers'
import { MillraceError, show } from '../errors.ts'
import { checkPlace, Ffmpeg, type MediaPlace, placeOf } from './ffmpeg.ts'
import { frameRate, type ProbedRates, toNumber } from './frame-rate.ts'
import { probeArgs } from './probe-args.ts'

export interface VideoInfo {
  /** As it is shown: after the rotation that the file asks for. */
  width: number
  height: number
  /** The shape of a pixel, its width to its height: '1:1'. */
  sampleAspectRatio: string
  codec: string
  /** Frames a second, on average; 0 if unknown. */
  fps: number
  /** Frames a second that show each frame when it is to be shown, as a fraction: '30000/1001'; '0/1' if unknown. */
  rate: string
  /** How many frames the file says it has; undefined: it does not say. */
  frames: number | undefined
}

export interface AudioInfo {
  codec: string
  /** Samples a second. */
  rate: number
  channels: number
}

export interface MediaInfo {
  /** undefined: unknown, or endless. */
  durationMs: number | undefined
  /** The first of its kind. */
  video: VideoInfo | undefined
  audio: AudioInfo | undefined
}

interface ProbedStream extends ProbedRates {
  codec_type: string
  codec_name?: string
  width?: number
  height?: number
  sample_aspect_ratio?: string
  sample_rate?: string
  channels?: number
  side_data_list?: { rotation?: number }[]
  tags?: { rotate?: string }
}

interface Probed {
  streams?: ProbedStream[]
  format?: { duration?: string }
}

/**
 * Asks ffprobe what is in a file, a device or a URL.
 *
 * @param inputArgs arguments for ffmpeg before the input; those that ffprobe does not know, such as `-ss`, are left out
 * @param signal ends it: a server may not answer
 * @throws MILLRACE_MEDIA_FAILED; the signal's reason
 */
export async function probeMedia(
  file: MediaPlace,
  inputArgs: readonly string[] = [],
  signal?: AbortSignal,
): Promise<MediaInfo> {
  checkPlace('probeMedia', file)
  const place = placeOf(file)
  const args = [...probeArgs(inputArgs), '-of', 'json', '-show_streams', '-show_format', '-i', place]
  const probe = await Ffmpeg.start({ args, hasInput: false, what: `read ${show(place)}` }, 'ffprobe')
  const output = await outputOf(probe, signal)
  return toInfo(JSON.parse(output), !inputArgs.includes('-noautorotate'))
}

/** All of it, once it has ended; it is gone then, however this ends. */
async function outputOf(probe: Ffmpeg, signal: AbortSignal | undefined): Promise<string> {
  const { program } = probe
  const stop = (): void => void program.stop()
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted) stop()
  try {
    const [output] = await Promise.all([text(program.stdout), program.ended])
    if (probe.failure !== undefined) throw probe.failure
    return output
  } catch (error) {
    throw program.isStopping ? (signal?.reason ?? new DOMException('It was aborted', 'AbortError')) : error
  } finally {
    signal?.removeEventListener('abort', stop)
    await program.stop()
  }
}

/** @throws MILLRACE_MEDIA_FAILED if there is none */
export function requireStream<T>(stream: T | undefined, kind: 'video' | 'audio', place: string): T {
  if (stream !== undefined) return stream
  throw new MillraceError('MILLRACE_MEDIA_FAILED', `${show(place)} has no ${kind} in it`)
}

function toInfo({ streams = [], format }: Probed, isTurned: boolean): MediaInfo {
  const video = streams.find(({ codec_type }) => codec_type === 'video')
  const audio = streams.find(({ codec_type }) => codec_type === 'audio')
  const seconds = Number(format?.duration)
  return {
    durationMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
    video: video && toVideo(video, isTurned),
    audio: audio && {
      codec: audio.codec_name ?? 'unknown',
      rate: Number(audio.sample_rate),
      channels: audio.channels ?? 1,
    },
  }
}

/** @param isTurned ffmpeg turns it as the file asks for */
function toVideo(stream: ProbedStream, isTurned: boolean): VideoInfo {
  const rotation = stream.side_data_list?.find((data) => data.rotation !== undefined)?.rotation
  const isOnItsSide = isTurned && Math.abs(Number(rotation ?? stream.tags?.rotate ?? 0)) % 180 === 90
  const { width = 0, height = 0 } = stream
  return {
    width: isOnItsSide ? height : width,
    height: isOnItsSide ? width : height,
    sampleAspectRatio: toAspect(stream.sample_aspect_ratio, isOnItsSide),
    codec: stream.codec_name ?? 'unknown',
    fps: toNumber(stream.avg_frame_rate ?? '') || toNumber(stream.r_frame_rate ?? ''),
    rate: frameRate(stream),
    frames: stream.nb_frames === undefined ? undefined : Number(stream.nb_frames),
  }
}

/** Where it is not known, as 0:1 says, too, pixels are square. */
function toAspect(ratio: string | undefined, isOnItsSide: boolean): string {
  const [width, height] = (ratio ?? '').split(':').map(Number)
  if (!(width > 0 && height > 0)) return '1:1'
  return isOnItsSide ? `${height}:${width}` : `${width}:${height}`
}
