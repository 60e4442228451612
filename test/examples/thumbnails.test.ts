import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { prepareExample, runExample } from '../support/example.ts'
import { makeFolder } from '../support/folder.ts'
import { test } from '../support/harness.ts'
import { ROOT } from '../support/places.ts'

test('thumbnails: every picture is on the contact sheet, in order, and the broken files are dead letters', {
  deadlineMs: 120_000,
}, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-'))
  try {
    const out = path.join(folder, 'out')
    const { code, stderr } = await runExample(t, 'thumbnails', '--out', out, '--size', '60')
    assert.equal(code, 0, stderr)
    const letters = readFileSync(`${out}-broken.ndjson`, 'utf8').trim().split('\n')
    assert.deepEqual(letters.map((line) => path.basename(JSON.parse(line).input)).sort(), [
      'wheel-07b.jpeg',
      'wheel-15b.png',
    ])
    const thumbnails = readdirSync(out).filter((name) => name.startsWith('wheel-'))
    assert.equal(thumbnails.length, 24)

    // The middle of each place of the sheet has the colour of the thumbnail that belongs there.
    const sharp = createRequire(path.join(ROOT, 'examples/thumbnails/package.json'))('sharp')
    const sheet = sharp(path.join(out, 'contact-sheet.webp'))
    assert.equal((await sheet.metadata()).width, 6 * 66 + 6)
    for (const [index, name] of thumbnails.sort().entries()) {
      const corner = { left: 4, top: 4, width: 20, height: 8 }
      const [left, top] = [6 + (index % 6) * 66 + corner.left, 6 + Math.floor(index / 6) * 66 + corner.top]
      const [there, here] = await Promise.all([
        meanOf(sheet.clone().extract({ ...corner, left, top })),
        meanOf(sharp(path.join(out, name)).extract(corner)),
      ])
      for (const [channel, value] of there.entries()) assert.ok(Math.abs(value - here[channel]) < 8, name)
    }
    assert.ok(existsSync(path.join(out, 'pictures')))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('thumbnails: what is too high for one contact sheet goes on on the next, and too wide a one is refused', {
  deadlineMs: 120_000,
}, async (t) => {
  await prepareExample('thumbnails')
  const sharp = createRequire(path.join(ROOT, 'examples/thumbnails/package.json'))('sharp')
  const place = makeFolder(t)
  mkdirSync(place('pictures'))
  const create = { width: 8, height: 8, channels: 3, background: '#204080' }
  await sharp({ create }).png().toFile(place('pictures/1.png'))
  // A sheet of one column has room for seven that are as large as can be.
  for (let number = 2; number <= 8; number++)
    copyFileSync(place('pictures/1.png'), place(`pictures/${number}.png`))
  const run = (columns: number) => {
    const options = ['--folder', place('pictures'), '--out', place('out'), '--size', '2048']
    return runExample(t, 'thumbnails', ...options, '--columns', `${columns}`)
  }
  const wide = await run(8)
  assert.notEqual(wide.code, 0)
  assert.match(wide.stderr, /--columns can be 7 at most where --size is 2048/)
  assert.ok(!existsSync(place('out')))

  const { code, stderr } = await run(1)
  assert.equal(code, 0, stderr)
  const heights = ['contact-sheet.webp', 'contact-sheet-2.webp'].map(async (name) => {
    return (await sharp(path.join(place('out'), name)).metadata()).height
  })
  assert.deepEqual(await Promise.all(heights), [7 * 2054 + 6, 2054 + 6])
  assert.ok(!existsSync(path.join(place('out'), 'contact-sheet-3.webp')))
})

interface Picture {
  removeAlpha(): { raw(): { toBuffer(): Promise<Buffer> } }
}

/** Mean of red, green and blue. */
async function meanOf(picture: Picture): Promise<number[]> {
  const bytes = await picture.removeAlpha().raw().toBuffer()
  const sums = [0, 0, 0]
  for (const [at, byte] of bytes.entries()) sums[at % 3] += byte
  return sums.map((sum) => sum / (bytes.length / 3))
}
