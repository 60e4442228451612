/** Pictures to begin with, where none are given: mill wheels in 24 colours, and two files that are no pictures. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import sharp from 'sharp'

const COUNT = 24
const WIDTH = 1200
const HEIGHT = 800
const FORMATS = ['jpeg', 'png', 'webp'] as const

/** Makes them in this folder. */
export async function makePictures(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  for (let number = 1; number <= COUNT; number++) {
    const format = FORMATS[number % FORMATS.length]
    const name = `wheel-${String(number).padStart(2, '0')}.${format}`
    await sharp(Buffer.from(drawWheel(number)))
      .toFormat(format)
      .toFile(path.join(folder, name))
  }
  writeFileSync(path.join(folder, 'wheel-07b.jpeg'), 'no picture at all')
  const whole = await sharp(Buffer.from(drawWheel(1)))
    .png()
    .toBuffer()
  writeFileSync(path.join(folder, 'wheel-15b.png'), whole.subarray(0, 2000))
}

function drawWheel(number: number): string {
  const hue = (number * 360) / COUNT
  const spokes = Array.from({ length: number + 3 }, (_, spoke) => {
    const angle = (spoke * 360) / (number + 3)
    return `<g transform="rotate(${angle})"><rect x="-7" y="-290" width="14" height="290"/><rect x="-45" y="-330" width="90" height="26"/></g>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}">
    <defs><linearGradient id="sky" x2="0" y2="1">
      <stop offset="0" stop-color="hsl(${hue},60%,75%)"/><stop offset="1" stop-color="hsl(${hue + 40},55%,45%)"/>
    </linearGradient></defs>
    <rect width="100%" height="100%" fill="url(#sky)"/>
    <rect y="640" width="100%" height="160" fill="hsl(${hue + 180},45%,40%)"/>
    <g transform="translate(600 400)" fill="hsl(${hue},50%,18%)">
      <circle r="270" fill="none" stroke="hsl(${hue},50%,18%)" stroke-width="16"/><circle r="36"/>${spokes.join('')}
    </g>
  </svg>`
}
