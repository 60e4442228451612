// The work of chain-text: what every side does to every item.

/** About 30 characters, different for each item, made as a reader would: from a number. */
export function makeLine(number) {
  return `the mill race runs on, item ${number}`
}

export function upper(line) {
  return line.toUpperCase()
}

export function reverse(line) {
  let reversed = ''
  for (let index = line.length - 1; index >= 0; index--) reversed += line[index]
  return reversed
}

/** Takes in every line, its order included, so that no side can skip work. */
export class Checksum {
  count = 0
  sum = 0

  add(line) {
    this.count++
    this.sum =
      (Math.imul(this.sum, 31) + line.length + line.charCodeAt(0) + line.charCodeAt(line.length >> 1)) | 0
  }
}
