// one-hop: the lines of chain-text, made and counted, with nothing between.
import { Checksum, make } from './text.mjs'

export { Checksum, make }

export const steps = {}

export function plain({ items }) {
  const checksum = new Checksum()
  for (let number = 0; number < items; number++) checksum.add(make(number))
  return checksum
}
