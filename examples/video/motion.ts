/** Small pictures for the model, and what the model says of them, in plain code: for the test. */

export const SMALL_WIDTH = 160
export const SMALL_HEIGHT = 90
export const CELL = 10
export const COLUMNS = SMALL_WIDTH / CELL
export const ROWS = SMALL_HEIGHT / CELL

/** The mean of some of the pixels that become one. */
const SAMPLES = 3

/** A plane of brightness, made small. */
export function shrink(plane: Uint8Array, width: number, height: number): Uint8Array {
  const small = new Uint8Array(SMALL_WIDTH * SMALL_HEIGHT)
  const place = (at: number, sample: number, from: number, to: number): number =>
    Math.floor(((at + (sample + 0.5) / SAMPLES) * from) / to)
  for (let y = 0; y < SMALL_HEIGHT; y++) {
    for (let x = 0; x < SMALL_WIDTH; x++) {
      let sum = 0
      for (let down = 0; down < SAMPLES; down++) {
        const row = place(y, down, height, SMALL_HEIGHT) * width
        for (let right = 0; right < SAMPLES; right++) sum += plane[row + place(x, right, width, SMALL_WIDTH)]
      }
      small[y * SMALL_WIDTH + x] = Math.round(sum / SAMPLES ** 2)
    }
  }
  return small
}

/** What motion.onnx computes of a picture before and one now, which lie behind one another. */
export function motionOf(pictures: Uint8Array): { grid: number[]; score: number } {
  const now = pictures.subarray(SMALL_WIDTH * SMALL_HEIGHT)
  const around = (picture: Uint8Array, x: number, y: number): number => {
    let sum = 0
    for (let down = Math.max(0, y - 2); down <= Math.min(SMALL_HEIGHT - 1, y + 2); down++) {
      for (let right = Math.max(0, x - 2); right <= Math.min(SMALL_WIDTH - 1, x + 2); right++)
        sum += picture[down * SMALL_WIDTH + right]
    }
    return sum / (25 * 255)
  }
  const grid = new Array<number>(ROWS * COLUMNS).fill(0)
  for (let y = 0; y < SMALL_HEIGHT; y++) {
    for (let x = 0; x < SMALL_WIDTH; x++) {
      const change = Math.abs(around(now, x, y) - around(pictures, x, y))
      grid[Math.floor(y / CELL) * COLUMNS + Math.floor(x / CELL)] += change / CELL ** 2
    }
  }
  return { grid, score: grid.reduce((sum, cell) => sum + cell, 0) / grid.length }
}
