import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import ts from 'typescript'
import { CheckpointFile, readCheckpoint } from '../../src/host/checkpoint-file.ts'
import { ROOT } from '../support/places.ts'

const SRC = path.join(ROOT, 'src/')
const FOLDER = mkdtempSync(path.join(tmpdir(), 'millrace-checkpoint-'))
after(() => rmSync(FOLDER, { recursive: true }))
const options = { pipeline: 'p', source: 's', everyMs: 100 }
let files = 0

function newFile(): string {
  return path.join(FOLDER, `${++files}.json`)
}

/** Writes the position and reads it back. */
function kept(position: unknown): unknown {
  const file = newFile()
  const checkpoint = new CheckpointFile(file, options)
  checkpoint.note(position, 1)
  checkpoint.flush()
  return readCheckpoint(file)?.position
}

test('without a file there is no checkpoint', () => {
  assert.equal(readCheckpoint(newFile()), undefined)
})

test('a checkpoint says whose it is, where it was and how far', () => {
  const file = newFile()
  const checkpoint = new CheckpointFile(file, options)
  checkpoint.note({ offset: 7 }, 3)
  checkpoint.flush()
  const expected = {
    schema: 'millrace.checkpoint/1',
    pipeline: 'p',
    source: 's',
    position: { offset: 7 },
    items: 3,
  }
  assert.deepEqual(readCheckpoint(file), expected)
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), expected)
  assert.deepEqual(readCheckpoint(file, { pipeline: 'p', source: 's' }), expected)
})

test('it is written at most once per everyMs, the newest position then', () => {
  const file = newFile()
  const checkpoint = new CheckpointFile(file, options)
  assert.equal(checkpoint.writeIfDue(1000), false)
  assert.equal(checkpoint.nextDueMs(), Number.POSITIVE_INFINITY)
  checkpoint.note(1, 1)
  assert.equal(checkpoint.writeIfDue(1000), true)
  assert.equal(checkpoint.writeIfDue(2000), false)
  checkpoint.note(2, 2)
  checkpoint.note(3, 3)
  assert.equal(checkpoint.nextDueMs(), 1100)
  assert.equal(checkpoint.writeIfDue(1099), false)
  assert.equal(readCheckpoint(file)?.position, 1)
  assert.equal(checkpoint.writeIfDue(1100), true)
  assert.equal(readCheckpoint(file)?.position, 3)
})

test('flush writes at once what is not written, and nothing else', () => {
  const file = newFile()
  const checkpoint = new CheckpointFile(file, options)
  checkpoint.flush()
  assert.equal(existsSync(file), false)
  checkpoint.note(1, 1)
  checkpoint.writeIfDue(0)
  checkpoint.note(2, 2)
  checkpoint.flush()
  assert.equal(readCheckpoint(file)?.position, 2)
  rmSync(file)
  checkpoint.flush()
  assert.equal(existsSync(file), false)
})

test('any JSON value is a position', () => {
  // Without -0, which is no JSON value.
  const json = fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value)))
  fc.assert(
    fc.property(json, (value) => assert.deepEqual(kept(value), value)),
    { numRuns: 30 },
  )
})

const cycle: Record<string, unknown> = {}
cycle.self = cycle
const refused: [what: string, position: unknown, place: RegExp][] = [
  ['a bigint', 1n, /BigInt/],
  ['NaN', { at: [1, Number.NaN] }, /position\.at\[1\] would become null/],
  ['a date', new Date(0), /position would become/],
  ['a Map', { map: new Map() }, /position\.map would become/],
  ['bytes', new Uint8Array(2), /position would become/],
  ['a field that is undefined', { at: undefined }, /position would become \{\}/],
  ['a cycle', cycle, /circular/],
]

for (const [what, position, place] of refused) {
  test(`a position with ${what} is refused, not changed`, () => {
    assert.throws(
      () => kept(position),
      (error: Error & { code?: string }) =>
        error.code === 'MILLRACE_BAD_CHECKPOINT' &&
        /source "s"/.test(error.message) &&
        place.test(error.message),
    )
  })
}

const broken: [what: string, text: string][] = [
  ['half a file', '{"schema":"millrace.check'],
  ['an empty file', ''],
  ['another JSON file', '{"name":"millrace"}'],
  ['null', 'null'],
]

for (const [what, text] of broken) {
  test(`${what} is no checkpoint, and the error names the file and says what to do`, () => {
    const file = newFile()
    writeFileSync(file, text)
    assert.throws(
      () => readCheckpoint(file),
      (error: Error & { code?: string; advice?: string }) =>
        error.code === 'MILLRACE_BAD_CHECKPOINT' &&
        error.message.includes(file) &&
        /delete the file/.test(error.advice ?? ''),
    )
  })
}

test("another source's checkpoint is refused", () => {
  const file = newFile()
  const checkpoint = new CheckpointFile(file, options)
  checkpoint.note(1, 1)
  checkpoint.flush()
  assert.throws(() => readCheckpoint(file, { pipeline: 'p', source: 'other' }), {
    code: 'MILLRACE_BAD_CHECKPOINT',
    message: /source "s" of pipeline "p", not of source "other"/,
  })
})

test('a file that cannot be written or read is named in the error', () => {
  const file = path.join(FOLDER, 'no such directory', 'checkpoint')
  const checkpoint = new CheckpointFile(file, options)
  checkpoint.note(1, 1)
  const expected = { code: 'MILLRACE_CHECKPOINT_FAILED', message: /no such directory.*ENOENT/ }
  assert.throws(() => checkpoint.flush(), expected)
  assert.throws(() => readCheckpoint(FOLDER), { code: 'MILLRACE_CHECKPOINT_FAILED', message: /EISDIR/ })
})

test('a write that failed leaves the old checkpoint, no other file, and is tried again', () => {
  const folder = path.join(FOLDER, `${++files}`)
  mkdirSync(folder)
  const file = path.join(folder, 'checkpoint')
  const checkpoint = new CheckpointFile(file, options)
  mkdirSync(file)
  checkpoint.note(1, 1)
  assert.throws(() => checkpoint.flush(), { code: 'MILLRACE_CHECKPOINT_FAILED' })
  assert.deepEqual(readdirSync(folder), ['checkpoint'])
  rmSync(file, { recursive: true })
  checkpoint.flush()
  assert.equal(readCheckpoint(file)?.position, 1)
})

test('a process killed at any moment leaves a whole checkpoint, not older than the last one written', async () => {
  const program = buildProgram()
  const file = newFile()
  let before = 0
  for (let round = 0; round < 20; round++) {
    const told = await killWhileWriting(program, file, 1 + round)
    const position = readCheckpoint(file)?.position as { at: number }
    assert.ok(position.at >= told, `${position.at} was read, ${told} had been written`)
    assert.ok(position.at > before, `${position.at} after ${before}`)
    before = position.at
  }
})

/** Goes on from the checkpoint, writing one after another, and tells of each. JavaScript: it starts faster. */
function buildProgram(): string {
  for (const name of ['errors', 'host/checkpoint-file', 'host/write-sync']) {
    const { outputText } = ts.transpileModule(readFileSync(path.join(SRC, `${name}.ts`), 'utf8'), {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2023,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
      },
    })
    const target = path.join(FOLDER, 'built', `${name}.js`)
    mkdirSync(path.dirname(target), { recursive: true })
    writeFileSync(target, outputText)
  }
  writeFileSync(path.join(FOLDER, 'built/package.json'), '{ "type": "module" }')
  const program = path.join(FOLDER, 'built/program.js')
  writeFileSync(
    program,
    `import { writeSync } from 'node:fs'
    import { CheckpointFile, readCheckpoint } from './host/checkpoint-file.js'
    const file = process.argv[2]
    const checkpoint = new CheckpointFile(file, { pipeline: 'p', source: 's', everyMs: 0 })
    const padding = 'x'.repeat(20_000)
    for (let at = (readCheckpoint(file)?.position.at ?? 0) + 1; ; at++) {
      checkpoint.note({ at, padding }, at)
      checkpoint.flush()
      writeSync(1, at + '\\n')
    }`,
  )
  return program
}

/** The last position that it had told of. */
async function killWhileWriting(program: string, file: string, writes: number): Promise<number> {
  const child = spawn(process.execPath, [program, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
    if (text.split('\n').length > writes) child.kill('SIGKILL')
  })
  const [, signal] = await closed
  assert.equal(signal, 'SIGKILL')
  return Number(text.trimEnd().split('\n').at(-1))
}
