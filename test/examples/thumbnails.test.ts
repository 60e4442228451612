import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runExample } from '../support/example.ts'
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
