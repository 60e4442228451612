/**
 * The loop of a worker whose stage takes items and gives outputs side by side: see define/stream-body.ts.
 *
 *   an output is there -> publish it; the stream takes items -> give it one, give the record back; else wait
 *
 * One thing at a time, so there is one wait, on the worker's one bell. Outputs go first: a stream that is full takes
 * nothing until its outputs are taken. An item is in hand until the stream has taken it, so that a watchdog sees a
 * stream that does not. Outputs count as made at the end of the stream, not of an item: nothing is taken up again.
 */
import type { StageStream } from '../define/stream-body.ts'
import { bug } from '../errors.ts'
import { ABANDONED, OUT } from '../observe/counters.ts'
import type { InputReader } from '../queue/input-reader.ts'
import { type Emitter, isThenable } from './emitter.ts'
import { FLUSH, type WorkerCore } from './worker-core.ts'

export class StreamLoop {
  readonly #core: WorkerCore
  readonly #reader: InputReader
  readonly #emitter: Emitter
  readonly #stream: StageStream<unknown, unknown>
  #hasItem = false
  /** The stream works with the memory of the item in hand. */
  #isWriting = false
  #isInputOver = false

  constructor(core: WorkerCore, emitter: Emitter) {
    if (core.reader === undefined || core.bound.stream === undefined) throw bug('a stream without its ends')
    this.#core = core
    this.#reader = core.reader
    this.#emitter = emitter
    this.#stream = core.bound.stream
    core.bound.changed = () => core.bell.ring()
    core.context.keepAllSlabs()
  }

  /** Until the stream has ended, or the run is aborted. */
  async run(): Promise<void> {
    const core = this.#core
    const stream = this.#stream
    core.waiting.becomeAsync()
    while (!core.isLeaving) {
      if (core.isHeld) {
        await core.holdOn()
        continue
      }
      if (stream.failure !== undefined) core.fail('MILLRACE_STAGE_FAILED', 'failed', stream.failure)
      else if (stream.hasOutput) await this.#give()
      else if (stream.hasEnded) this.#end()
      else if (!this.#takeItem()) await this.#wait()
      if (core.waiting.isTurnDue()) await core.waiting.turn()
    }
  }

  async #give(): Promise<void> {
    const core = this.#core
    core.outputs.beginFlush(FLUSH)
    try {
      const output = this.#stream.take()
      const emitted = this.#emitter.emit(output)
      const outcome = isThenable(emitted) ? await emitted : emitted
      core.slabs?.letGoOf(output)
      if (outcome === ABANDONED && core.isRefused) core.isOver = true
    } catch (error) {
      core.fail('MILLRACE_STAGE_FAILED', 'failed', error)
    }
  }

  /** Brings an item on its way; false if there is nothing to be done. */
  #takeItem(): boolean {
    if (this.#isInputOver || this.#isWriting) return false
    const reader = this.#reader
    if (!this.#hasItem) {
      const found = reader.poll()
      if (found === 'empty' && !reader.isRetired) return false
      if (found !== 'item') {
        this.#isInputOver = true
        this.#stream.end()
        return true
      }
      this.#begin()
    }
    if (!this.#stream.isWritable) return false
    this.#write()
    return true
  }

  #begin(): void {
    const { counters, context, outputs } = this.#core
    const { id, item, source, order } = this.#reader
    this.#hasItem = true
    counters.take(id, item)
    context.beginItem(item, 1)
    outputs.begin(item, source, order, FLUSH)
  }

  #write(): void {
    const core = this.#core
    try {
      const writing = this.#stream.write(this.#reader.read())
      if (writing === undefined) this.#settle()
      else this.#settleAfter(writing)
    } catch (error) {
      core.fail('MILLRACE_STAGE_FAILED', 'failed', error, core.context.item)
    }
  }

  #settleAfter(writing: Promise<void>): void {
    this.#isWriting = true
    void writing.then(() => {
      this.#isWriting = false
      this.#settle()
      this.#core.bell.ring()
    })
  }

  #settle(): void {
    const { counters } = this.#core
    // The run is over: the item is counted with those that are left.
    if (this.#core.isLeaving) return
    this.#hasItem = false
    counters.note(this.#reader.id, OUT)
    this.#reader.commit()
    counters.count(OUT)
  }

  /** It ends in its time when no items are left for it; before, it ends the stream for all. */
  #end(): void {
    if (!this.#isInputOver) this.#core.end()
    else if (this.#reader.isRetired) this.#core.isRetired = true
    this.#core.isOver = true
  }

  async #wait(): Promise<void> {
    const { waiting, outputs, bell, counters } = this.#core
    outputs.flush()
    this.#stream.flush()
    const since = performance.now()
    const isIdle = !this.#hasItem
    await waiting.wait(bell, this.#isReady)
    if (isIdle) counters.addStarved(performance.now() - since)
  }

  readonly #isReady = (): boolean => {
    const core = this.#core
    const stream = this.#stream
    core.refresh()
    if (core.stop.isSet || core.isHeld || stream.failure !== undefined) return true
    if (stream.hasOutput || stream.hasEnded) return true
    if (this.#isInputOver || this.#isWriting) return false
    if (this.#hasItem) return stream.isWritable
    return this.#reader.isReady() || this.#reader.isRetired
  }
}
