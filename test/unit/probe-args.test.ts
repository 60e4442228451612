// What ffprobe is told of ffmpeg's arguments: what it knows, under the names that it knows.
import assert from 'node:assert/strict'
import { probeArgs } from '../../src/media/probe-args.ts'
import { test } from '../support/harness.ts'

const probed = (args: string): string => probeArgs(args.split(' ')).join(' ')

test('what is ffmpeg’s alone is left out with its value, and the rest stays', () => {
  assert.equal(probed('-ss 10 -f lavfi -t 5 -re -rtsp_transport tcp'), '-f lavfi -rtsp_transport tcp')
  assert.equal(probed('-sseof -10 -stream_loop -1 -noautorotate -probesize 32'), '-probesize 32')
  assert.equal(probed('-c:v h264_cuvid -hwaccel cuda -hwaccel_device 0 -threads:v 1'), '')
  assert.equal(probed('-itsoffset'), '')
})

test('size, pixels, rate and channels are called what the format calls them, if it has them', () => {
  assert.equal(
    probed('-f rawvideo -s 64x36 -pix_fmt rgb24 -r 25'),
    '-f rawvideo -video_size 64x36 -pixel_format rgb24 -framerate 25',
  )
  assert.equal(probed('-r 25 -f x11grab -pix_fmt bgr0'), '-framerate 25 -f x11grab')
  assert.equal(probed('-f s16le -ar 8000 -ac 2'), '-f s16le -sample_rate 8000 -ch_layout 2c')
  assert.equal(probed('-r 25 -s 64x36 -ar 8000'), '')
})
