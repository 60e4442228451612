// No queue, no thread: the floor.
import { report } from '../side.mjs'
import { Checksum, makeLine, reverse, upper } from './work.mjs'

await report(({ items }) => {
  const checksum = new Checksum()
  for (let number = 0; number < items; number++) checksum.add(reverse(upper(makeLine(number))))
  return checksum
})
