/** A sound file out of samples, as a sink. */
import { withFile } from '../define/file-use.ts'
import { isIntegerFrom, isObject } from '../define/option-table.ts'
import type { StageObject } from '../define/stage-body.ts'
import { MillraceError, show } from '../errors.ts'
import { checkOptions } from '../plan/check-options.ts'
import type { Sentinel } from '../sentinel.ts'
import type { AudioWindow } from './audio-samples.ts'
import { Encoder, finishFile } from './encoder.ts'
import { checkPlace, type MediaPlace, outputOf } from './ffmpeg.ts'
import { ENCODE_AUDIO_OPTIONS, type EncodeAudioOptions } from './media-options.ts'

const isCount = isIntegerFrom(1, Number.MAX_SAFE_INTEGER)

/** What is being written; ffmpeg is started by the first window, which says what all of them are. */
interface AudioFile {
  /** Of the abort. */
  signal: AbortSignal
  encoder: Encoder | undefined
  rate: number
  channels: number
}

/**
 * Encodes windows of samples to a sound file with ffmpeg: a sink. All windows have the rate and the channels of the first.
 * They are taken one after the other: `workers` and `concurrency` over 1 are refused. Where none comes no file is written;
 * that is logged.
 *
 * When its worker dies, the run fails (`restart: false`). Otherwise the file is complete when the run has ended, also after
 * a drain. On an abort ffmpeg has 1,500 ms to finish what it has; if it does not, the report has a failure that says so, for
 * the file may not play then. Where ffmpeg ends in order by itself, as with `args: ['-t', '10']`, the stream ends.
 *
 * @param file a path, or whatever else ffmpeg takes as an output; one that is there is written anew. Not the file
 * that is being read: it would be emptied when the first window comes; what a source of `millrace/media` reads is refused
 * @throws MILLRACE_INVALID_OPTION, MILLRACE_UNKNOWN_OPTION; in the run MILLRACE_MEDIA_FAILED, with ffmpeg's words
 */
export function encodeAudio(
  file: MediaPlace,
  options: EncodeAudioOptions = {},
): StageObject<AudioWindow, Promise<undefined | Sentinel>, AudioFile> {
  checkPlace('encodeAudio', file)
  const { args } = checkOptions('encodeAudio', ENCODE_AUDIO_OPTIONS, options) as Required<EncodeAudioOptions>
  const place = outputOf(file)
  const sink: StageObject<AudioWindow, Promise<undefined | Sentinel>, AudioFile> = {
    // A worker that is started again would begin the file anew.
    defaults: { restart: false },
    isSequential: true,
    open: ({ signal }) => ({ signal, encoder: undefined, rate: 0, channels: 0 }),
    process: async (window, sound) => {
      checkWindow(window)
      const { samples, rate, channels } = window
      sound.encoder ??= await begin(sound, rate, channels, args, place)
      if (rate !== sound.rate || channels !== sound.channels) {
        const was = `the first had ${sound.rate} samples a second in ${sound.channels} channels`
        throw badWindow(`it has ${rate} in ${channels}, and ${was}`)
      }
      return sound.encoder.write(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength))
    },
    flush: ({ encoder }, { log }) => finishFile(encoder, place, log),
    close: ({ encoder }, { log }) => encoder?.close(log),
  }
  return withFile(sink, place)
}

function begin(
  sound: AudioFile,
  rate: number,
  channels: number,
  args: readonly string[],
  place: string,
): Promise<Encoder> {
  sound.rate = rate
  sound.channels = channels
  const format = ['-f', 'f32le', '-ac', String(channels), '-ar', String(rate)]
  return Encoder.start(
    {
      args: [...format, '-i', 'pipe:0', ...args, '-y', place],
      what: `encode ${show(place)}`,
    },
    sound.signal,
  )
}

/** What comes may have been made by anyone. @throws MILLRACE_BAD_FRAME */
function checkWindow(window: AudioWindow): void {
  if (!isObject(window)) throw badWindow(`a window is an object, and it is ${show(window)}`)
  const { samples, rate, channels } = window
  for (const [name, number] of Object.entries({ rate, channels })) {
    if (!isCount(number)) throw badWindow(`its ${name} must be an integer from 1 on, and is ${show(number)}`)
  }
  if (!(samples instanceof Float32Array))
    throw badWindow(`its samples must be a Float32Array, and are ${show(samples)}`)
  if (samples.length % channels !== 0)
    throw badWindow(`${samples.length} samples are not as many in each of ${channels} channels`)
}

function badWindow(why: string): MillraceError {
  return new MillraceError('MILLRACE_BAD_FRAME', `a window cannot be encoded: ${why}`)
}
