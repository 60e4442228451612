/**
 * What the documents say is so: their programs compile, run and print what they say, and their links lead somewhere.
 *
 * README.md marks its blocks: ```ts file=NAME is a file, and compiles together with the others; `run` after that: it
 * prints what its `// =>` say; ```text file=NAME is a file too; ```text prints=ARGS is what `millrace run ARGS` prints.
 */
import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import ts from 'typescript'
import { OWN_OPTIONS } from '../../src/cli/command-line.ts'
import { RUN_OPTIONS, STAGE_OPTIONS } from '../../src/define/stage-options.ts'
import { ADVICE } from '../../src/errors.ts'
import { HERE, ROOT } from '../support/places.ts'
import { assertPrintsWhatItSays, runMillrace } from '../support/program.ts'

const README = readFileSync(path.join(ROOT, 'README.md'), 'utf8')
const FOLDER = mkdtempSync(path.join(tmpdir(), 'millrace-docs-'))
after(() => rmSync(FOLDER, { recursive: true }))

interface Block {
  language: string
  file: string | undefined
  prints: string | undefined
  isRun: boolean
  text: string
}

const blocks = [...README.matchAll(/^```(\w+)([^\n]*)\n(.*?)^```$/gms)].map(
  ([, language, info, text]): Block => ({
    language,
    file: /\bfile=(\S+)/.exec(info)?.[1],
    prints: /\bprints=(.+)/.exec(info)?.[1],
    isRun: /\brun\b/.test(info),
    text,
  }),
)
const files = blocks.filter((block) => block.file !== undefined)

writeFileSync(path.join(FOLDER, 'package.json'), '{ "type": "module" }')
mkdirSync(path.join(FOLDER, 'node_modules'))
const LINK = path.join(FOLDER, 'node_modules', 'millrace')
symlinkSync(ROOT, LINK, 'junction')
for (const { file, text } of files) writeFileSync(path.join(FOLDER, file as string), text)

test('README.md begins with a program of at most 15 lines', () => {
  const [first] = blocks
  assert.equal(first.file, 'words.ts')
  assert.ok(first.text.trimEnd().split('\n').length <= 15)
  assert.ok(README.split('\n').indexOf(first.text.split('\n', 1)[0]) < 10)
})

test('every program in README.md is marked, and those that say what they print are run', () => {
  for (const { language, file, isRun, text } of blocks) {
    if (language !== 'ts' && language !== 'js') continue
    assert.ok(file !== undefined, `a program without a name:\n${text}`)
    assert.equal(text.includes('// => '), isRun, `${file}: marked as run exactly if it says what it prints`)
  }
})

test('the programs in README.md compile', () => {
  const config = ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), ts.sys.readFile).config
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT)
  const names = files
    .filter(({ language }) => language === 'ts')
    .map(({ file }) => path.join(FOLDER, file as string))
  const program = ts.createProgram(names, { ...options, typeRoots: [path.join(ROOT, 'node_modules/@types')] })
  const faults = ts.getPreEmitDiagnostics(program)
  const host = {
    getCanonicalFileName: (name: string) => name,
    getCurrentDirectory: () => FOLDER,
    getNewLine: () => '\n',
  }
  assert.equal(ts.formatDiagnostics(faults, host), '')
  // The types were those of the sources; what is run is what the tests run.
  unlinkSync(LINK)
  symlinkSync(HERE, LINK, 'junction')
})

for (const { file } of files.filter(({ isRun }) => isRun)) {
  test(`it prints what README.md says: ${file}`, () =>
    assertPrintsWhatItSays(path.join(FOLDER, file as string)))
}

for (const { prints, text } of blocks) {
  if (prints === undefined) continue
  test(`the command line prints what README.md says: ${prints}`, async () => {
    const { code, stdout, stderr } = await runMillrace(['run', ...prints.split(' '), '--quiet'], FOLDER)
    assert.deepEqual([stdout, stderr, code], [text, '', 0])
  })
}

test('README.md lists every option of a stage, of a run and of the command line', () => {
  for (const option of [...Object.keys(STAGE_OPTIONS), ...Object.keys(RUN_OPTIONS)]) {
    assert.ok(new RegExp(`^\\| \`${option}\` +\\|`, 'm').test(README), `${option} is not in a table`)
  }
  for (const option of Object.keys(OWN_OPTIONS.run)) {
    assert.ok(new RegExp(`--${option}\\b`).test(README), `--${option} is not mentioned`)
  }
})

test('docs/errors.md lists every error code once, with what to do in the words of the table', () => {
  const text = readFileSync(path.join(ROOT, 'docs/errors.md'), 'utf8')
  const rows = [...text.matchAll(/^\| `(MILLRACE_\w+)` +\| (.+?) +\| (.+?) +\|$/gm)]
  const listed = Object.fromEntries(rows.map(([, code, , advice]) => [code, advice.replaceAll('\\|', '|')]))
  assert.equal(rows.length, Object.keys(listed).length, 'a code is listed twice')
  assert.deepEqual(listed, ADVICE)
})

const folders = ['.', 'docs', 'bench', 'examples', ...exampleFolders()]
const documents = folders.flatMap((folder) =>
  readdirSync(path.join(ROOT, folder))
    .filter((file) => file.endsWith('.md'))
    .map((file) => path.posix.join(folder, file)),
)

for (const document of documents) {
  test(`every relative link leads somewhere: ${document}`, () => {
    const text = withoutCode(readFileSync(path.join(ROOT, document), 'utf8'))
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [file, anchor] = target.split('#')
      const found = file === '' ? path.join(ROOT, document) : path.join(ROOT, path.dirname(document), file)
      assert.ok(existsSync(found), `${target} does not exist`)
      if (anchor !== undefined) assert.ok(anchorsOf(found).includes(anchor), `${target}: no such heading`)
    }
  })
}

function exampleFolders(): string[] {
  return readdirSync(path.join(ROOT, 'examples'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map((entry) => path.posix.join('examples', entry.name))
}

function withoutCode(text: string): string {
  return text.replaceAll(/^```.*?^```$/gms, '').replaceAll(/`[^`\n]*`/g, '')
}

/** As GitHub makes them of headings. */
function anchorsOf(file: string): string[] {
  const headings = readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)
  return [...headings].map(([, heading]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
