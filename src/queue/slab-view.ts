/**
 * The view on a slab that `ctx.alloc` gives.
 *
 * V8 makes `fill`, `set` and `copyWithin` of shared memory one atomic access after the other, byte by byte where they
 * are not aligned alike: 10 times slower than a copy. These are as fast as those of memory that is not shared.
 * Buffer's own `fill` is memset and memcpy for everything but a number.
 */
const copyInto = Buffer.prototype.fill as unknown as (
  this: Uint8Array,
  source: Uint8Array | object,
  from: number,
  to: number,
) => void

/** Below this many bytes the call into C++ costs more than it saves. */
const NATIVE_FROM = 256

export class SlabView extends Uint8Array<SharedArrayBuffer> {
  static get [Symbol.species](): Uint8ArrayConstructor {
    return Uint8Array
  }

  override fill(value: number, start = 0, end = this.length): this {
    const from = place(start, this.length)
    const to = place(end, this.length)
    if (to - from < NATIVE_FROM) return super.fill(value, from, to)
    // An object that is a number is coerced in C++, where it becomes memset.
    copyInto.call(this, Object(Number(value) & 0xff), from, to)
    return this
  }

  override set(source: ArrayLike<number>, offset = 0): void {
    const isBytes = source instanceof Uint8Array || source instanceof Uint8ClampedArray
    const fits = isBytes && Number.isInteger(offset) && offset >= 0 && offset + source.length <= this.length
    if (!fits || source.length < NATIVE_FROM || overlaps(this, offset, source)) super.set(source, offset)
    else copyInto.call(this, bytesOf(source), offset, offset + source.length)
  }

  override subarray(begin = 0, end = this.length): SlabView {
    const from = place(begin, this.length)
    const to = Math.max(from, place(end, this.length))
    return new SlabView(this.buffer, this.byteOffset + from, to - from)
  }

  /** A copy in memory of its own, to keep. */
  override slice(begin = 0, end = this.length): Uint8Array<ArrayBuffer> {
    const from = place(begin, this.length)
    const to = Math.max(from, place(end, this.length))
    const copy = new Uint8Array(to - from)
    if (to - from < NATIVE_FROM) copy.set(this.subarray(from, to))
    else copyInto.call(copy, bytesOf(this.subarray(from, to)), 0, to - from)
    return copy
  }
}

function overlaps(target: Uint8Array, offset: number, source: Uint8Array | Uint8ClampedArray): boolean {
  const apart = target.byteOffset + offset - source.byteOffset
  return target.buffer === source.buffer && Math.abs(apart) < source.length
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** A relative index, as typed arrays take it, within 0 and `length`. */
function place(index: number, length: number): number {
  const whole = Math.trunc(index) || 0
  return whole < 0 ? Math.max(0, length + whole) : Math.min(whole, length)
}
