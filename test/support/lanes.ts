/** A lane in memory of its own, and any number of ends of it: each end made is the next life of the one before. */
import { ClaimingLaneReader } from '../../src/queue/claiming-lane-reader.ts'
import { type LaneLayout, LaneView, layOutLane } from '../../src/queue/lane.ts'
import { LaneReader } from '../../src/queue/lane-reader.ts'
import { LaneWriter } from '../../src/queue/lane-writer.ts'

/** Words of the control line, as lane.ts lays them out: to begin near an overflow of the counts. */
const TAIL = 0
const HEAD = 16

export class TestLane {
  readonly layout: LaneLayout
  readonly memory: SharedArrayBuffer

  constructor(capacity: number, arenaBytes: number, firstCount = 0) {
    this.layout = layOutLane(capacity, arenaBytes)
    this.memory = new SharedArrayBuffer(this.layout.totalBytes)
    const words = new Int32Array(this.memory)
    words[TAIL] = firstCount
    words[HEAD] = firstCount
  }

  writer(): LaneWriter {
    return new LaneWriter(this.memory, 0, this.layout)
  }

  reader(): LaneReader {
    return new LaneReader(this.memory, 0, this.layout)
  }

  claimingReader(): ClaimingLaneReader {
    return new ClaimingLaneReader(this.memory, 0, this.layout)
  }

  view(): LaneView {
    return new LaneView(this.memory, 0, this.layout)
  }

  /** Everything in flight, oldest first, SENTINEL left out; nothing is given back. */
  contents(): unknown[] {
    // The next life of a reader sees all there is: it reads a copy to the end.
    const copy = new SharedArrayBuffer(this.memory.byteLength)
    new Uint8Array(copy).set(new Uint8Array(this.memory))
    const reader = new LaneReader(copy, 0, this.layout)
    const found: unknown[] = []
    for (; !reader.isEmpty(); reader.commit()) if (!reader.isEnd()) found.push(reader.read())
    return found
  }

  /** The arena's bytes from there on. */
  arenaFrom(offset: number): Uint8Array {
    return new Uint8Array(this.memory, this.layout.controlBytes + offset, this.layout.arenaBytes - offset)
  }
}
