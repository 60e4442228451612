/** Small pictures for the model, and what the model says of them, in plain code: for the test. */

export const SMALL_WIDTH = 160
export const SMALL_HEIGHT = 90
export const CELL = 10
export const COLUMNS = SMALL_WIDTH / CELL
export const ROWS = SMALL_HEIGHT / CELL

/** The mean of so many pixels each way, of those that become one. */
const SAMPLES = 3

/** Makes planes of brightness of one size small. */
export function shrinker(width: number, height: number): (plane: Uint8Array) => Uint8Array {
  const columns = placesOf(width, SMALL_WIDTH)
  const rows = placesOf(height, SMALL_HEIGHT).map((row) => row * width)
  return (plane) => {
    const small = new Uint8Array(SMALL_WIDTH * SMALL_HEIGHT)
    for (let y = 0, at = 0; y < rows.length; y += SAMPLES) {
      const above = rows[y]
      const row = rows[y + 1]
      const below = rows[y + 2]
      // Written out: it is done for 130,000 pixels of each frame.
      for (let x = 0; x < columns.length; x += SAMPLES) {
        const left = columns[x]
        const column = columns[x + 1]
        const right = columns[x + 2]
        const sum =
          plane[above + left] +
          plane[above + column] +
          plane[above + right] +
          plane[row + left] +
          plane[row + column] +
          plane[row + right] +
          plane[below + left] +
          plane[below + column] +
          plane[below + right]
        small[at++] = sum / SAMPLES ** 2 + 0.5
      }
    }
    return small
  }
}

/** Where the samples lie, `SAMPLES` for each pixel of the small edge. */
function placesOf(edge: number, smallEdge: number): Int32Array {
  const count = smallEdge * SAMPLES
  return Int32Array.from({ length: count }, (_, place) => Math.floor(((place + 0.5) * edge) / count))
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
