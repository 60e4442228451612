// chain-text: about 30 characters, made, put in capitals, reversed, counted.

/** Different for each item, and made as a reader would make it: no two items share memory. */
export function make(number) {
  return `the mill race runs on, item ${number}`
}

export function upper(line) {
  return line.toUpperCase()
}

export function reverse(line) {
  const codes = []
  for (let index = line.length - 1; index >= 0; index--) codes.push(line.charCodeAt(index))
  return String.fromCharCode.apply(null, codes)
}

export const steps = { upper, reverse }

/** Takes in every line, its order included. */
export class Checksum {
  count = 0
  sum = 0

  add(line) {
    this.count++
    this.sum =
      (Math.imul(this.sum, 31) + line.length + line.charCodeAt(0) + line.charCodeAt(line.length >> 1)) | 0
  }
}

export function plain({ items }) {
  const checksum = new Checksum()
  for (let number = 0; number < items; number++) checksum.add(reverse(upper(make(number))))
  return checksum
}
