// A folder of pictures -> thumbnails as WebP -> a contact sheet, in the order of the names.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { definePipeline, pipeline } from 'millrace'
import sharp from 'sharp'
import { makePictures } from './make-pictures.ts'

interface Thumbnail {
  /** The picture's, with its ending: two may differ in that alone. */
  name: string
  webp: Buffer
}

const GAP = 6
/** The longest edge that a WebP can have, in pixels. */
const LONGEST_EDGE = 16_383

export default definePipeline(
  import.meta.url,
  {
    folder: { type: 'string', optional: true, doc: 'Pictures to read. Default: some that are made up.' },
    out: { type: 'string', default: 'thumbnails', doc: 'Folder for the thumbnails and the contact sheets.' },
    size: { type: 'integer', default: 120, min: 8, max: 2048, doc: 'Edge of a thumbnail in pixels.' },
    columns: { type: 'integer', default: 6, min: 1, doc: 'Thumbnails in a row of a contact sheet.' },
  },
  ({ folder, out, size, columns }) => {
    const most = fittingIn(size)
    if (columns > most)
      throw new Error(`--columns can be ${most} at most where --size is ${size}: a WebP is not wider`)
    return pipeline('thumbnails')
      .source('find', () =>
        folder === undefined ? madeUp(path.join(out, 'pictures')) : listPictures(folder),
      )
      .stage(
        'shrink',
        async (file): Promise<Thumbnail> => {
          // The workers are the parallelism: libvips needs no threads beside them.
          sharp.concurrency(1)
          const picture = sharp(file, { failOn: 'truncated' }).rotate().resize(size, size)
          return { name: path.basename(file), webp: await picture.webp({ quality: 80 }).toBuffer() }
        },
        // A file that cannot be read is told of, and the others go on, in their order.
        { workers: 'auto', onError: 'dead-letter' },
      )
      .stage('save', {
        open: () => mkdirSync(out, { recursive: true }),
        process: (thumbnail) => {
          writeFileSync(path.join(out, `${thumbnail.name}.webp`), thumbnail.webp)
          return thumbnail
        },
      })
      .sink('sheet', {
        open: (): Thumbnail[] => [],
        process: (thumbnail, all) => {
          all.push(thumbnail)
        },
        flush: (all) => writeSheets(all, out, size, columns),
      })
      .deadLetters(`${out}-broken.ndjson`)
  },
)

/** Thumbnails of this size that lie side by side, or one below the other, on a sheet. */
function fittingIn(size: number): number {
  return Math.floor((LONGEST_EDGE - GAP) / (size + GAP))
}

function* listPictures(folder: string): Generator<string> {
  const names = readdirSync(folder).filter((name) => /\.(jpe?g|png|webp|gif|tiff?|avif|svg)$/i.test(name))
  for (const name of names.sort()) yield path.join(folder, name)
}

async function* madeUp(folder: string): AsyncGenerator<string> {
  await makePictures(folder)
  yield* listPictures(folder)
}

/** What is too high for one sheet goes on on the next: contact-sheet.webp, contact-sheet-2.webp. */
async function writeSheets(all: readonly Thumbnail[], out: string, size: number, columns: number) {
  const perSheet = fittingIn(size) * columns
  for (let number = 1; (number - 1) * perSheet < all.length; number++) {
    const name = number === 1 ? 'contact-sheet.webp' : `contact-sheet-${number}.webp`
    const those = all.slice((number - 1) * perSheet, number * perSheet)
    await writeSheet(those, path.join(out, name), size, columns)
  }
}

async function writeSheet(all: readonly Thumbnail[], file: string, size: number, columns: number) {
  const edge = size + GAP
  const rows = Math.ceil(all.length / columns)
  const sheet = sharp({
    create: { width: columns * edge + GAP, height: rows * edge + GAP, channels: 3, background: '#202020' },
  })
  const placed = all.map(({ webp }, index) => ({
    input: webp,
    left: GAP + (index % columns) * edge,
    top: GAP + Math.floor(index / columns) * edge,
  }))
  await sheet.composite(placed).webp({ quality: 80 }).toFile(file)
}
