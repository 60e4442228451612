import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { runExample } from '../support/example.ts'
import { makeFolder } from '../support/folder.ts'
import { test } from '../support/harness.ts'
import { lacks } from '../support/programs.ts'

const skip = lacks('ffmpeg', 'ffprobe')

test('audio: a voice is like speech; noise, a hum and silence are not', {
  skip,
  deadlineMs: 120_000,
}, async (t) => {
  const out = makeFolder(t)('loudness')
  const { code, stderr } = await runExample(t, 'audio', '--out', out)
  assert.equal(code, 0, stderr)
  const { points } = JSON.parse(readFileSync(`${out}.json`, 'utf8')) as { points: number[][] }
  const silence = points.findIndex(([, loudness]) => loudness === -100)
  assert.ok(silence > 0)
  // Before the silence 2 s of a hum, before that 2 s of noise, and the voice before all.
  const from = points[silence][0]
  const meanOf = (begin: number, end: number): number => {
    const those = points.filter(([seconds]) => seconds >= begin && seconds < end)
    assert.ok(those.length > 10)
    return those.reduce((sum, [, , speech]) => sum + speech, 0) / those.length
  }
  assert.ok(meanOf(0.2, from - 4.3) > 0.7)
  assert.ok(meanOf(from - 3.9, from - 2.1) < 0.35)
  assert.ok(meanOf(from - 1.8, from - 0.2) < 0.05)
  assert.equal(readFileSync(`${out}.svg`, 'utf8').match(/<polyline/g)?.length, 2)
})

test('audio: of an empty sound nothing is written, and that is said', {
  skip,
  deadlineMs: 120_000,
}, async (t) => {
  const place = makeFolder(t)
  const made = ['-v', 'error', '-f', 'lavfi', '-i', 'anullsrc', '-t', '0', place('empty.wav')]
  assert.equal(spawnSync('ffmpeg', made).status, 0)
  const { code, stderr } = await runExample(
    t,
    'audio',
    '--file',
    place('empty.wav'),
    '--out',
    place('loudness'),
  )
  assert.equal(code, 0, stderr)
  assert.match(stderr, /warn loudness\/write: there is no sound in it: nothing is written/)
  assert.ok(!existsSync(place('loudness.json')) && !existsSync(place('loudness.svg')))
})
