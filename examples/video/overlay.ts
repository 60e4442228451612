/** Draws on frames of 'yuv420p': boxes, bars and the few characters that a score needs. */
import type { VideoFrame } from 'millrace/media'

/** Rows of five pixels, from the top, the first pixel being the highest bit. */
const GLYPHS: Readonly<Record<string, readonly number[]>> = {
  '0': [14, 17, 19, 21, 25, 17, 14],
  '1': [4, 12, 4, 4, 4, 4, 14],
  '2': [14, 17, 1, 2, 4, 8, 31],
  '3': [31, 2, 4, 2, 1, 17, 14],
  '4': [2, 6, 10, 18, 31, 2, 2],
  '5': [31, 16, 30, 1, 1, 17, 14],
  '6': [6, 8, 16, 30, 17, 17, 14],
  '7': [31, 1, 2, 4, 8, 8, 8],
  '8': [14, 17, 17, 14, 17, 17, 14],
  '9': [14, 17, 17, 15, 1, 2, 12],
  '.': [0, 0, 0, 0, 0, 12, 12],
  '%': [24, 25, 2, 4, 8, 19, 3],
  ' ': [0, 0, 0, 0, 0, 0, 0],
}

/** Brightness and the two colours, from 0 to 255. */
export interface Colour {
  y: number
  u: number
  v: number
}

export const YELLOW: Colour = { y: 210, u: 16, v: 146 }
export const BLACK: Colour = { y: 16, u: 128, v: 128 }

export interface Box {
  left: number
  top: number
  width: number
  height: number
}

/** What of the box lies outside the frame is left out. */
export function fill(frame: VideoFrame, box: Box, colour: Colour): void {
  const { width, height, data } = frame
  const left = Math.max(0, Math.round(box.left))
  const top = Math.max(0, Math.round(box.top))
  const right = Math.min(width, Math.round(box.left + box.width))
  const bottom = Math.min(height, Math.round(box.top + box.height))
  // To `fill` of an array, an end below 0 is one from behind.
  if (left >= right) return
  for (let row = top; row < bottom; row++) data.fill(colour.y, row * width + left, row * width + right)
  const half = Math.ceil(width / 2)
  const planeOfU = width * height
  const planeOfV = planeOfU + half * Math.ceil(height / 2)
  for (let row = top >> 1; row < bottom >> 1; row++) {
    const [from, to] = [row * half + (left >> 1), row * half + (right >> 1)]
    if (from >= to) continue
    data.fill(colour.u, planeOfU + from, planeOfU + to)
    data.fill(colour.v, planeOfV + from, planeOfV + to)
  }
}

export function outline(frame: VideoFrame, { left, top, width, height }: Box, colour: Colour): void {
  const line = Math.max(2, Math.round(frame.height / 180))
  fill(frame, { left, top, width, height: line }, colour)
  fill(frame, { left, top: top + height - line, width, height: line }, colour)
  fill(frame, { left, top, width: line, height }, colour)
  fill(frame, { left: left + width - line, top, width: line, height }, colour)
}

export function write(frame: VideoFrame, text: string, left: number, top: number, colour: Colour): void {
  const dot = Math.max(1, Math.round(frame.height / 180))
  for (const [index, character] of [...text].entries()) {
    for (const [row, bits] of (GLYPHS[character] ?? GLYPHS[' ']).entries()) {
      for (let column = 0; column < 5; column++) {
        if (((bits >> (4 - column)) & 1) === 0) continue
        const place = { left: left + (index * 6 + column) * dot, top: top + row * dot }
        fill(frame, { ...place, width: dot, height: dot }, colour)
      }
    }
  }
}
