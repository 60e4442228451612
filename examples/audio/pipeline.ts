// A sound -> windows -> how loud, and how much like speech -> JSON and a plot.
import { writeFileSync } from 'node:fs'
import { definePipeline, pipeline } from 'millrace'
import { audioSamples } from 'millrace/media'
import { type Point, plot } from './plot.ts'
import { loudnessOf, spectrumOf, speechLikeness } from './spectrum.ts'

const RATE = 16_000
/** A power of two: 64 ms. */
const WINDOW_SAMPLES = 1024

/** A voice, noise, a hum, silence and the voice again: what ffmpeg can make up by itself. */
const MADE_UP = [
  "flite=text='The mill race runs on, and the wheel turns.':voice=slt,aresample=16000[first]",
  'anoisesrc=color=white:amplitude=0.1:duration=2:sample_rate=16000[noise]',
  'sine=frequency=60:duration=2:sample_rate=16000[hum]',
  'anullsrc=sample_rate=16000:channel_layout=mono,atrim=duration=1[silence]',
  "flite=text='Nothing is lost.':voice=slt,aresample=16000[last]",
  '[first][noise][hum][silence][last]concat=n=5:v=0:a=1',
].join(';')

export default definePipeline(
  import.meta.url,
  {
    file: {
      type: 'string',
      optional: true,
      doc: 'Sound or video to read. Default: one that ffmpeg makes up.',
    },
    out: { type: 'string', default: 'loudness', doc: 'Name of the files to write, without .json and .svg.' },
  },
  ({ file, out }) =>
    pipeline('loudness')
      .source(
        'decode',
        audioSamples(file ?? MADE_UP, {
          rate: RATE,
          windowSamples: WINDOW_SAMPLES,
          ...(file === undefined ? { inputArgs: ['-f', 'lavfi'] } : {}),
        }),
      )
      .stage('loudness', ({ ptsMs, samples }) => ({
        seconds: ptsMs / 1000,
        samples,
        loudness: loudnessOf(samples),
      }))
      .stage(
        'speech',
        ({ seconds, samples, loudness }): Point => {
          const window = new Float32Array(WINDOW_SAMPLES)
          window.set(samples)
          return { seconds, loudness, speech: speechLikeness(spectrumOf(window), RATE) }
        },
        { workers: 'auto' },
      )
      .sink('write', {
        open: (): Point[] => [],
        process: (point, points) => {
          points.push(point)
        },
        flush: (points, ctx) => {
          // Of nothing there is no loudest, and no part that is speech.
          if (points.length === 0) return ctx.log.warn('there is no sound in it: nothing is written')
          writeFileSync(`${out}.json`, `${JSON.stringify(summarise(points), null, 1)}\n`)
          writeFileSync(`${out}.svg`, plot(points))
        },
      }),
)

function summarise(points: readonly Point[]) {
  const round = (value: number): number => Math.round(value * 1000) / 1000
  return {
    windowMs: (WINDOW_SAMPLES * 1000) / RATE,
    loudest: round(points.reduce((most, { loudness }) => Math.max(most, loudness), Number.NEGATIVE_INFINITY)),
    /** Part of the time. */
    speech: round(
      points.filter(({ loudness, speech }) => loudness > -50 && speech > 0.5).length / points.length,
    ),
    points: points.map(({ seconds, loudness, speech }) => [seconds, loudness, speech].map(round)),
  }
}
