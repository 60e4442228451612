// Which rate a video is encoded at, from what ffprobe says of it.
import assert from 'node:assert/strict'
import { frameRate } from '../../src/media/frame-rate.ts'
import { test } from '../support/harness.ts'

const RATES: [
  what: string,
  average: string,
  least: string,
  frames: string | undefined,
  rate: string,
  step?: string,
  field_order?: string,
][] = [
  ['a film', '24000/1001', '24000/1001', '100', '24000/1001'],
  ['a telephone that falls behind now and then', '1349/45', '30/1', '2698', '30/1'],
  ['a video of which half the frames are left out', '15/1', '30/1', '450', '30/1'],
  ['interlaced television', '25/1', '50/1', undefined, '25/1', '1/90000', 'tt'],
  ['interlaced television of America', '30000/1001', '60000/1001', undefined, '30000/1001', '1/90000', 'bb'],
  ['an odd number of fields', '25/2', '25/1', undefined, '25/2', '1/90000', 'tb'],
  ['a video with frames left out', '53/2', '30/1', '106', '30/1'],
  ['motion, then a still', '20/1', '60/1', '240', '60/1'],
  ['a recorded screen with times in milliseconds', '2731/100', '1000/1', '2731', '2731/100'],
  ['a browser, which says neither frames nor duration', '1000/1', '1000/1', undefined, '60/1', '1/1000'],
  ['frames without a file, at a high rate', '500/1', '500/1', undefined, '500/1', '1/90000'],
  ['frames without a file, in steps of their rate', '30/1', '30/1', undefined, '30/1', '1/30'],
  ['a high-speed camera', '480/1', '480/1', '4800', '480/1'],
  ['what has no average', '0/0', '25/1', undefined, '25/1'],
  ['what has no average, in steps of a clock', '0/0', '90000/1', undefined, '60/1', '1/90000'],
  ['what has an average alone', '10/1', '0/0', undefined, '10/1'],
  ['a picture', '0/0', '0/0', undefined, '0/1'],
]

for (const [
  what,
  avg_frame_rate,
  r_frame_rate,
  nb_frames,
  rate,
  time_base = '1/90000',
  field_order = 'progressive',
] of RATES) {
  test(`the rate of ${what}: ${rate}`, () => {
    const frames = nb_frames === undefined ? {} : { nb_frames }
    assert.equal(frameRate({ avg_frame_rate, r_frame_rate, time_base, field_order, ...frames }), rate)
  })
}

test('of what says nothing the rate is not known', () => assert.equal(frameRate({}), '0/1'))
