// Bytes that are read straight into frames are the same frames as bytes that are copied there.
import assert from 'node:assert/strict'
import { type FrameDecoder, makeDecoder, ReadyDecoder } from '../../src/command/frame-decoder.ts'
import { test } from '../support/harness.ts'
import { randomFrom, seedOfRun } from '../support/random.ts'

const random = randomFrom(seedOfRun())
const upTo = (most: number): number => 1 + Math.floor(random() * most)

test('frames are the same, pushed or read into the room, whatever comes at a time', () => {
  for (let round = 0; round < 200; round++) {
    const size = upTo([10, 1_000, 70_000, 400_000][round % 4])
    const bytes = Uint8Array.from({ length: size * upTo(4) }, () => random() * 256)
    const [pushed, read]: [unknown[], unknown[]] = [[], []]
    const [one, other] = [decoderOf(size), decoderOf(size)]
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.slice(at, at + upTo(100_000))
      one.push(Buffer.from(piece), pushed)
      at += piece.length
    }
    for (let at = 0; at < bytes.length; ) {
      const room = other.room()
      const piece = bytes.subarray(at, at + Math.min(room.length, upTo(300_000)))
      room.set(piece)
      other.filled(piece.length, read)
      at += piece.length
    }
    assert.equal(read.length, bytes.length / size)
    assert.deepEqual(read, pushed)
    other.end([])
  }
})

test('the rest of a large frame is read to where it stays; no memory is asked for before its first byte', () => {
  const frames: Uint8Array[] = []
  const allocated: Uint8Array[] = []
  const decoder = decoderOf(1_000_000, (bytes) => {
    const memory = new Uint8Array(new SharedArrayBuffer(bytes))
    allocated.push(memory)
    return memory
  })
  decoder.room()
  assert.equal(allocated.length, 0)
  decoder.filled(10, frames)
  const room = decoder.room()
  assert.equal(room.buffer, allocated[0].buffer)
  assert.equal(room.byteOffset, 10)
  room.fill(7)
  decoder.filled(room.length, frames)
  assert.equal(frames.length, 1)
  assert.deepEqual([frames[0].length, frames[0][10], frames[0].at(-1)], [1_000_000, 7, 7])
  assert.notEqual(decoder.room().buffer, allocated[0].buffer)
})

test('an end within a frame is told with its bytes', () => {
  const decoder = decoderOf(100)
  decoder.room()
  decoder.filled(130, [])
  assert.throws(() => decoder.end([]), {
    code: 'MILLRACE_BAD_FRAME',
    message: 'its output ends 30 bytes after the last whole frame of 100 bytes',
  })
})

function decoderOf(
  bytes: number,
  alloc = (size: number): Uint8Array => new Uint8Array(size),
): Required<FrameDecoder> {
  return makeDecoder({ bytes }, 0, alloc) as Required<FrameDecoder>
}

test('the word that a program is ready is left out, in however many pieces it comes; what is none is told', () => {
  const bytes = Buffer.from([0, 0, 0, 0, 0, 0, 0, 2, 8, 9])
  for (let cut = 0; cut <= bytes.length; cut++) {
    const frames: unknown[] = []
    let ready = 0
    const alloc = (length: number) => new Uint8Array(length)
    const decoder = new ReadyDecoder(makeDecoder('length-prefixed', 100, alloc), () => ready++)
    for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)]) decoder.push(piece, frames)
    decoder.end(frames)
    assert.deepEqual([ready, frames], [1, [new Uint8Array([8, 9])]])
    const early = new ReadyDecoder(makeDecoder('length-prefixed', 100, alloc), () => ready++)
    assert.throws(() => early.push(Buffer.from('11\n22'), []), {
      code: 'MILLRACE_BAD_FRAME',
      message: /'11'$/,
    })
  }
})
