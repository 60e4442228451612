// chain-record: objects; one stage adds a field, one drops every tenth, the sink sums.

const TAGS = ['oak', 'ash', 'elm', 'alder', 'willow', 'hazel', 'birch', 'rowan']

export function make(number) {
  return {
    id: number,
    text: `record number ${number}`,
    score: (number % 1000) / 8,
    tags: [TAGS[number & 7], TAGS[(number >> 3) & 7]],
  }
}

export function rank(record) {
  record.rank = record.score * 2 + record.text.length
  return record
}

export function keep(record) {
  return record.id % 10 === 3 ? undefined : record
}

export const steps = { rank, keep }

/** Takes in every record, its order included. A rank is a whole number of quarters. */
export class Checksum {
  count = 0
  sum = 0

  add({ id, rank, tags }) {
    this.count++
    this.sum = (Math.imul(this.sum, 31) + id + rank * 4 + tags[1].length) | 0
  }
}

export function plain({ items }) {
  const checksum = new Checksum()
  for (let number = 0; number < items; number++) {
    const record = keep(rank(make(number)))
    if (record !== undefined) checksum.add(record)
  }
  return checksum
}
