// `npm run demo`: makes a text of 30 MB, runs examples/demo/pipeline.ts on it, and shows what went in and came out.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { constants, tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const COMMAND = path.join(ROOT, 'dist/cli/main.js')
const PIPELINE = 'examples/demo/pipeline.ts'
const BYTES = 30e6
const SHOWN_LINES = 12
const COLUMN = 42

if (!existsSync(COMMAND)) {
  console.log('dist/ is missing: building')
  execFileSync(process.execPath, [path.join(ROOT, 'scripts/build.mjs')], { stdio: 'inherit' })
}
const folder = mkdtempSync(path.join(tmpdir(), 'millrace-demo-'))
try {
  process.exitCode = await runDemo(path.join(folder, 'in.txt'), path.join(folder, 'out.txt'))
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function runDemo(input, output) {
  const { bytes, lines } = writeText(input)
  console.log(
    `${format(bytes / 1e6)} MB of text, ${format(lines)} lines; Ctrl-C drains, a second one aborts.`,
  )
  console.log(`$ millrace run ${PIPELINE} --file ${input} --out ${output}\n`)
  const code = await runPipeline(input, output)
  if (existsSync(output)) showBoth(input, output)
  console.log('\nRead on: README.md (use), ARCHITECTURE.md (how it works), examples/ (small programs).')
  return code
}

/** The text over and over, each paragraph with a number of its own, so that no two lines in a row are alike. */
function writeText(file) {
  const paragraphs = readFileSync(path.join(ROOT, 'examples/demo/alice.txt'), 'utf8').trim().split('\n\n')
  const fd = openSync(file, 'w')
  let bytes = 0
  let lines = 0
  for (let number = 1; bytes < BYTES; ) {
    let text = ''
    for (const paragraph of paragraphs) text += `${number++}. ${paragraph}\n\n`
    bytes += writeSync(fd, text)
    lines += text.split('\n').length - 1
  }
  closeSync(fd)
  return { bytes, lines }
}

/** The exit code of the run. */
async function runPipeline(input, output) {
  // A terminal sends Ctrl-C to the run too, which ends by it; then we do.
  process.on('SIGINT', () => {})
  const run = spawn(process.execPath, [COMMAND, 'run', PIPELINE, '--file', input, '--out', output], {
    cwd: ROOT,
    stdio: 'inherit',
  })
  process.on('SIGTERM', () => run.kill('SIGTERM'))
  const [code, signal] = await once(run, 'close')
  return code ?? 128 + constants.signals[signal]
}

function showBoth(input, output) {
  const before = firstLines(input)
  const after = firstLines(output)
  console.log(`\n${'in'.padEnd(COLUMN)}  out`)
  for (const [index, line] of before.entries()) {
    console.log(`${cut(line).padEnd(COLUMN)}  ${cut(after[index] ?? '')}`.trimEnd())
  }
}

function firstLines(file) {
  const fd = openSync(file)
  const head = Buffer.alloc(SHOWN_LINES * 400)
  const size = readSync(fd, head)
  closeSync(fd)
  return head.toString('utf8', 0, size).split('\n').slice(0, SHOWN_LINES)
}

function cut(line) {
  return line.length <= COLUMN ? line : `${line.slice(0, COLUMN - 1)}…`
}

function format(number) {
  return Math.round(number).toLocaleString('en-US')
}
