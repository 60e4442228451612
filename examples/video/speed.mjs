/**
 * How fast the five stages are beside ffmpeg alone, which decodes and encodes the same: in turn, a few rounds.
 *
 *   node examples/video/speed.mjs [--rounds 3] [--seconds 30] [--codec libx264] [--preset slow]
 *     [--input GRAPH | --made-up]
 *
 * After `npm run example -- video`. GRAPH is of ffmpeg's filters, and makes the video that is read. With `--made-up` the
 * video is read from no file: both sides have ffmpeg make it up on the way, as the example does where it is given none.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const HERE = path.dirname(fileURLToPath(import.meta.url))
const COMMAND = path.join(HERE, '../../dist/cli/main.js')
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '30' },
    codec: { type: 'string', default: 'libx264' },
    preset: { type: 'string' },
    input: { type: 'string', default: 'testsrc2=size=1280x720:rate=30' },
    'made-up': { type: 'boolean', default: false },
  },
})
const folder = mkdtempSync(path.join(tmpdir(), 'millrace-speed-'))
const place = (name) => path.join(folder, name)

const SIDES = {
  ffmpeg: () => [
    'ffmpeg',
    [
      '-v',
      'error',
      '-y',
      ...(values['made-up'] ? ['-f', 'lavfi', '-i', madeUp()] : ['-i', place('in.mp4')]),
      '-c:v',
      values.codec,
      ...(values.preset === undefined ? [] : ['-preset', values.preset]),
      '-pix_fmt',
      'yuv420p',
      place('ffmpeg.mp4'),
    ],
  ],
  thread: () => millrace('thread'),
  process: () => millrace('process'),
}

function millrace(on) {
  const options = [
    ...(values['made-up'] ? ['--seconds', values.seconds] : ['--file', place('in.mp4')]),
    '--out',
    place(`${on}.mp4`),
    '--on',
    on,
    '--codec',
    values.codec,
    ...(values.preset === undefined ? [] : ['--preset', values.preset]),
  ]
  return [process.execPath, [COMMAND, 'run', path.join(HERE, 'pipeline.ts'), ...options, '--quiet']]
}

try {
  if (!values['made-up']) {
    const made = [
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      values.input,
      '-t',
      values.seconds,
      '-pix_fmt',
      'yuv420p',
    ]
    spawnSync('ffmpeg', [...made, place('in.mp4')], { stdio: 'inherit' })
  }
  const times = Object.fromEntries(Object.keys(SIDES).map((side) => [side, []]))
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [side, make] of Object.entries(SIDES)) times[side].push(await time(side, ...make()))
  }
  for (const side of Object.keys(SIDES)) {
    const ratio = medianOf(times.ffmpeg) / medianOf(times[side])
    const { frames, size, seconds } = look(place(`${side}.mp4`))
    console.log(
      `${side.padEnd(8)} ${medianOf(times[side]).toFixed(2)} s, ${ratio.toFixed(3)} of ffmpeg alone; ${frames} frames, ${size}, ${seconds} s`,
    )
  }
} finally {
  rmSync(folder, { recursive: true })
}

/** The graph of the example. */
function madeUp() {
  return readFileSync(path.join(HERE, 'made-up.filter'), 'utf8').replace('SECONDS', values.seconds)
}

/** Seconds. Says what memory the program held, at a third of the time and later at most. */
async function time(side, program, args) {
  const began = performance.now()
  const child = spawn(program, args, { stdio: 'inherit' })
  const memory = []
  const timer = setInterval(() => memory.push(residentMb(child.pid)), 250)
  const [code] = await once(child, 'close')
  clearInterval(timer)
  if (code !== 0) throw new Error(`${side}: exit code ${code}`)
  const third = Math.floor(memory.length / 3)
  const most = (list) => Math.max(0, ...list)
  console.log(
    `${side.padEnd(8)} ${((performance.now() - began) / 1000).toFixed(2)} s; ${most(memory.slice(0, third))} MB in the first third, ${most(memory.slice(third))} MB after`,
  )
  return (performance.now() - began) / 1000
}

function residentMb(pid) {
  try {
    return Math.round(
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024,
    )
  } catch {
    return 0
  }
}

function medianOf(list) {
  return [...list].sort((one, other) => one - other)[Math.floor(list.length / 2)]
}

function look(file) {
  const entries = 'stream=width,height,nb_frames,duration'
  const { stdout } = spawnSync('ffprobe', ['-v', 'error', '-of', 'json', '-show_entries', entries, file])
  const [{ width, height, nb_frames, duration }] = JSON.parse(stdout).streams
  return { frames: nb_frames, size: `${width} x ${height}`, seconds: Number(duration) }
}
