/** The samples of a sound, window by window, as a source. */
import { withFile } from '../define/file-use.ts'
import type { SourceObject } from '../define/stage-body.ts'
import { show } from '../errors.ts'
import { checkOptions } from '../plan/check-options.ts'
import { checkPlace, type MediaPlace, placeOf } from './ffmpeg.ts'
import { AUDIO_SAMPLES_OPTIONS, type AudioSamplesOptions } from './media-options.ts'
import { mediaSource } from './media-source.ts'
import { probeMedia, requireStream } from './probe-media.ts'
import { WindowDecoder } from './window-decoder.ts'

export interface AudioWindow {
  /** From 0. */
  index: number
  /** When its first sample is to be heard, in milliseconds from the beginning of the sound. */
  ptsMs: number
  /** Samples a second. */
  rate: number
  channels: number
  /** From -1 to 1, the channels interleaved. */
  samples: Float32Array
}

type Checked = AudioSamplesOptions & Required<Omit<AudioSamplesOptions, 'rate'>>

const SAMPLE_BYTES = 4

/**
 * The samples of a sound, decoded by ffmpeg in a process of its own, in windows of one length (the last may be
 * shorter): a source. A drain ends it at once.
 *
 * @param file a path, a URL, a device, a video, or a generator: whatever ffmpeg takes, with `inputArgs` where it needs them
 * @throws MILLRACE_INVALID_OPTION, MILLRACE_UNKNOWN_OPTION; in the run MILLRACE_MEDIA_FAILED, with ffmpeg's words
 * @example
 * pipeline('loudness')
 *   .source('decode', audioSamples('talk.mp3', { rate: 16_000 }))
 *   .stage('peak', ({ samples }) => samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0))
 */
export function audioSamples(file: MediaPlace, options: AudioSamplesOptions = {}): SourceObject<AudioWindow> {
  checkPlace('audioSamples', file)
  const checked = checkOptions('audioSamples', AUDIO_SAMPLES_OPTIONS, options) as unknown as Checked
  const { channels, windowSamples, inputArgs } = checked
  const place = placeOf(file)
  const source = mediaSource<AudioWindow>(async (ctx) => {
    const audio = requireStream((await probeMedia(file, inputArgs, ctx.signal)).audio, 'audio', place)
    const rate = checked.rate ?? audio.rate
    const format = ['-f', 'f32le', '-ac', String(channels), '-ar', String(rate)]
    return {
      args: [...inputArgs, '-i', place, '-map', '0:a:0', ...format, 'pipe:1'],
      what: `decode ${show(place)}`,
      decoder: new WindowDecoder(windowSamples * channels * SAMPLE_BYTES),
      toItem: (bytes, index) => ({
        index,
        ptsMs: (index * windowSamples * 1000) / rate,
        rate,
        channels,
        samples: new Float32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / SAMPLE_BYTES)),
      }),
    }
  })
  return withFile(source, place)
}
