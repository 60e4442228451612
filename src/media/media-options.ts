/** The options of what `millrace/media` has, in one table each. */
import { isIntegerFrom, isNumberFrom, isOneOf, type OptionTable } from '../define/option-table.ts'
import { PIXEL_FORMATS, type PixelFormat } from './pixel-format.ts'
import { nameOf } from './probe-args.ts'

export interface VideoFramesOptions {
  /**
   * Width of the frames, in pixels. Default: the video's, or what keeps its shape when `height` is given. Pixels that are not
   * square stay so; where both are given they are taken for square.
   */
  width?: number
  /** Height of the frames, in pixels. Default: the video's, or what keeps its shape when `width` is given. */
  height?: number
  /** How pixels lie in a frame's bytes. Default 'rgb24'. */
  format?: PixelFormat
  /** Frames a second: some are left out, or come twice. Default: each frame as it is in the video. */
  fps?: number
  /**
   * Arguments for ffmpeg before the input: `['-f', 'v4l2']` for a camera; `['-ss', '10']`, from where times count then.
   * ffprobe is asked first, with those of them that it knows. Not `-v` or `-loglevel`: what ffmpeg says is needed.
   */
  inputArgs?: readonly string[]
}

export interface EncodeVideoOptions {
  /** Frames a second. Default: as the first frame says. */
  fps?: number
  /** Arguments for ffmpeg before the output: `['-c:v', 'libx264', '-crf', '20']`. Default: what it chooses for the name. */
  args?: readonly string[]
}

export interface AudioSamplesOptions {
  /** Samples a second. Default: the sound's. */
  rate?: number
  /** Channels, interleaved. Default 1. */
  channels?: number
  /** Samples of a window, in each channel; the last window may have fewer. Default 4,096. */
  windowSamples?: number
  /** Arguments for ffmpeg before the input, as those of `videoFrames`. */
  inputArgs?: readonly string[]
}

export interface EncodeAudioOptions {
  /** Arguments for ffmpeg before the output: `['-c:a', 'libopus']`. Default: what it chooses for the name. */
  args?: readonly string[]
}

const edge = { expected: 'an integer from 1 to 16,384', isValid: isIntegerFrom(1, 16_384) } as const
const fps = { expected: 'a number from 0.001 to 1,000', isValid: isNumberFrom(0.001, 1000) } as const
const areArguments = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((text) => typeof text === 'string' && !text.includes('\0'))
const args = {
  expected: 'an array of strings without null characters',
  isValid: areArguments,
  default: [],
} as const
/** What ffmpeg says is how it is known when a frame is to be shown, and why something failed. */
const SILENCING = ['v', 'loglevel']
const inputArgs = {
  expected: 'an array of strings without null characters, and without -v and -loglevel',
  isValid: (value: unknown) =>
    areArguments(value) && !value.some((argument) => SILENCING.includes(nameOf(argument))),
  default: [],
} as const

export const VIDEO_FRAMES_OPTIONS = {
  width: { ...edge, doc: 'Width of the frames, in pixels.' },
  height: { ...edge, doc: 'Height of the frames, in pixels.' },
  format: {
    expected: PIXEL_FORMATS.map((name) => `"${name}"`).join(', '),
    isValid: isOneOf(...PIXEL_FORMATS),
    default: 'rgb24',
    doc: "How pixels lie in a frame's bytes.",
  },
  fps: { ...fps, doc: 'Frames a second.' },
  inputArgs: { ...inputArgs, doc: 'Arguments for ffmpeg before the input.' },
} as const satisfies OptionTable

export const ENCODE_VIDEO_OPTIONS = {
  fps: { ...fps, doc: 'Frames a second.' },
  args: { ...args, doc: 'Arguments for ffmpeg before the output.' },
} as const satisfies OptionTable

export const AUDIO_SAMPLES_OPTIONS = {
  rate: {
    expected: 'an integer from 1 to 768,000',
    isValid: isIntegerFrom(1, 768_000),
    doc: 'Samples a second.',
  },
  channels: {
    expected: 'an integer from 1 to 64',
    isValid: isIntegerFrom(1, 64),
    default: 1,
    doc: 'Channels, interleaved.',
  },
  windowSamples: {
    expected: 'an integer from 1 to 1,048,576',
    isValid: isIntegerFrom(1, 2 ** 20),
    default: 4096,
    doc: 'Samples of a window, in each channel.',
  },
  inputArgs: { ...inputArgs, doc: 'Arguments for ffmpeg before the input.' },
} as const satisfies OptionTable

export const ENCODE_AUDIO_OPTIONS = {
  args: { ...args, doc: 'Arguments for ffmpeg before the output.' },
} as const satisfies OptionTable
