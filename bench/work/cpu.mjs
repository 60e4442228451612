// farm-cpu: an item is a number; what is done for it is plain arithmetic, `turns` turns of a loop.

/** One turn takes about 2 ns: 500,000 are a millisecond. `every`, `times`: each `every`th item takes `times` as many. */
export function makeWith({ turns, every, times }) {
  return (number) => ({
    seed: number + 1,
    turns: every !== undefined && number % every === every - 1 ? turns * times : turns,
  })
}

export function burn({ seed, turns }) {
  let value = seed | 0
  for (let turn = 0; turn < turns; turn++) {
    value ^= value << 13
    value ^= value >>> 17
    value ^= value << 5
  }
  return value
}

export const steps = { burn }

/** Takes in every value. Its order does not count: a farm need not keep it. */
export class Checksum {
  count = 0
  sum = 0

  add(value) {
    this.count++
    this.sum = (this.sum + value) | 0
  }
}

export function plain(settings) {
  const checksum = new Checksum()
  const make = makeWith(settings)
  for (let number = 0; number < settings.items; number++) checksum.add(burn(make(number)))
  return checksum
}
