// chain-frames: pictures of 1920 x 1080 x 3 bytes; the source fills them, two stages touch each row, the sink sums.

export const FRAME_BYTES = 1920 * 1080 * 3
const ROW_BYTES = 1920 * 3

export function fill(frame, number) {
  frame.fill(number)
  return frame
}

export function stamp(frame) {
  for (let at = 0, row = 0; at < FRAME_BYTES; at += ROW_BYTES, row++) frame[at] += row
  return frame
}

export function invert(frame) {
  for (let at = 0; at < FRAME_BYTES; at += ROW_BYTES) frame[at + 1] ^= 0xff
  return frame
}

export const steps = { stamp, invert }

/** Takes in three bytes of every row of every frame, the order of the frames included. */
export class Checksum {
  count = 0
  sum = 0

  add(frame) {
    this.count++
    let sum = Math.imul(this.sum, 31)
    for (let at = 0; at < FRAME_BYTES; at += ROW_BYTES) {
      sum += frame[at] + frame[at + 1] + frame[at + ROW_BYTES - 1]
    }
    this.sum = sum | 0
  }
}

export function plain({ items }) {
  const checksum = new Checksum()
  const frame = new Uint8Array(FRAME_BYTES)
  for (let number = 0; number < items; number++) checksum.add(invert(stamp(fill(frame, number))))
  return checksum
}
