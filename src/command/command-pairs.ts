/**
 * A program that gives one output for each item, in their order.
 *
 * So it is known which items it has in hand. If it ends before its time, its worker ends with it, and the next life of
 * the worker sends them to a new program. If one item takes too long, or is answered with what is no frame, the program is
 * replaced here, and the others are sent again. If the run is aborted, the program is ended, and what it had in hand is
 * abandoned.
 */
import { CRASH, type CrashingContext } from '../define/crash.ts'
import type { StageContext } from '../define/stage-body.ts'
import { bug, MillraceError, show } from '../errors.ts'
import type { Program } from '../host/child/program.ts'
import { badFrame } from './frame-decoder.ts'
import type { FrameReader } from './frame-reader.ts'
import { encodeFrame, type Frame, FrameWriter } from './frame-writer.ts'
import { type CheckedCommand, failureOf, startProgram } from './spec.ts'

/** An item that waits for its output. */
interface Pending {
  frame: Frame
  /** Its output lies in memory that is given back when the item is settled. */
  ctx: StageContext
  resolve: (output: unknown) => void
  reject: (error: unknown) => void
}

/** One program, and how it is written to and read from. */
interface Run {
  program: Program
  reader: FrameReader
  writer: FrameWriter
  /** Where it says so, it has. */
  readonly isReady: boolean
  /** It has closed its output, and was ended for it. */
  isMute: boolean
}

/** How long a program that has closed its output may take to end. */
const MUTE_MS = 1_000

export class CommandPairs {
  readonly #command: CheckedCommand
  readonly #ctx: StageContext & CrashingContext
  readonly #saysReady: boolean
  /** The signal of the run: that of an item is another. */
  readonly #runSignal: AbortSignal
  #run: Run | undefined
  /** In the order in which they were written. */
  #pending: Pending[] = []
  #isEnding = false
  #isFlushDue = false
  /** The run is: nothing that the program does is a failure any more. */
  #isAborted = false
  /** What is wrong with the program for good. */
  #failure: Error | undefined
  #replacing: Promise<void> | undefined
  #endTimer: NodeJS.Timeout | undefined
  #changed = (): void => {}

  /**
   * @param saysReady the program gives an empty frame when it is ready; if it exits before, there is no use in another
   * @throws MILLRACE_COMMAND_FAILED
   */
  static async start(command: CheckedCommand, ctx: StageContext, saysReady: boolean): Promise<CommandPairs> {
    const pairs = new CommandPairs(command, ctx, saysReady)
    await pairs.#start()
    return pairs
  }

  private constructor(command: CheckedCommand, ctx: StageContext, saysReady: boolean) {
    this.#command = command
    this.#ctx = ctx
    this.#saysReady = saysReady
    this.#runSignal = ctx.signal
    this.#runSignal.addEventListener('abort', this.#abandon, { once: true })
  }

  /** The output for the item. */
  process(item: unknown, ctx: StageContext): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.#isAborted) return Promise.reject(this.#runSignal.reason)
    return new Promise((resolve, reject) => {
      // Also where there is no program to write it to: nobody else is to blame for what does not fit.
      const pending = { frame: encodeFrame(this.#command.input, item), ctx, resolve, reject }
      void this.#run?.writer.writeFrame(pending.frame)
      this.#pending.push(pending)
      if (this.#run === undefined) this.#replace()
      this.#flushSoon()
      const { signal } = ctx
      if (signal !== this.#runSignal) this.#heed(signal, pending)
    })
  }

  /** No more items: tells the program, and waits for its end. @throws what is wrong with it */
  async finish(): Promise<void> {
    await this.#replacing
    this.#isEnding = true
    this.#run?.writer.end()
    while (this.#failure === undefined && !this.#isAborted && !this.#hasEnded) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
    if (this.#isAborted) return
    const failure = this.#failure ?? (this.#run && failureOf(this.#command, this.#run.program))
    if (failure !== undefined) throw failure
  }

  async close(): Promise<void> {
    this.#isEnding = true
    this.#forgetEndTimer()
    this.#runSignal.removeEventListener('abort', this.#abandon)
    await this.#replacing?.catch(() => {})
    await this.#run?.program.stop()
  }

  get #hasEnded(): boolean {
    return this.#run === undefined || (this.#run.reader.hasEnded && this.#run.program.end !== undefined)
  }

  async #start(): Promise<void> {
    const look = (): void => this.#look(run)
    let isReady = !this.#saysReady
    const onReady = (): void => {
      isReady = true
    }
    const { program, reader } = await startProgram(this.#command, true, this.#ctx, {
      changed: look,
      contextOf: (waiting) => this.#pending[waiting]?.ctx ?? this.#ctx,
      onReady: this.#saysReady ? onReady : undefined,
    })
    if (program.stdin === undefined) throw bug('a program without an input')
    const writer = new FrameWriter(program.stdin, this.#command.input, () => {})
    const run: Run = {
      program,
      reader,
      writer,
      get isReady() {
        return isReady
      },
      isMute: false,
    }
    this.#run = run
    void program.ended.then(look)
  }

  /** The run was aborted. Waited for in `close`. */
  readonly #abandon = (): void => {
    this.#isAborted = true
    this.#isEnding = true
    for (const { reject } of this.#pending.splice(0)) reject(this.#runSignal.reason)
    void this.#run?.program.stop()
    this.#changed()
  }

  /** Several items that come in one turn of the event loop leave in one write. */
  #flushSoon(): void {
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    setImmediate(() => {
      this.#isFlushDue = false
      this.#run?.writer.flush()
    })
  }

  #look(run: Run): void {
    if (run !== this.#run || this.#isAborted) return
    const { reader, program } = run
    while (reader.hasFrame) {
      const output = reader.take()
      const pending = this.#pending.shift()
      if (pending === undefined) {
        this.#fail(badFrame('it gave more outputs than it got items'))
        return
      }
      pending.resolve(output)
    }
    if (reader.failure !== undefined && !reader.isCut) this.#refuse(run, reader.failure)
    // Of an output that was cut it may be known first that the program has ended, or that its output has.
    else if (program.end !== undefined && reader.hasEnded) this.#noteEnd(run)
    else if (reader.hasEnded && !this.#isEnding) this.#awaitEnd(run)
    this.#changed()
  }

  /** It can answer no more: it may have ended, which is not known yet. Or it lives on, and is ended. */
  #awaitEnd(run: Run): void {
    this.#endTimer ??= setTimeout(() => {
      run.isMute = true
      void run.program.stop()
    }, MUTE_MS)
  }

  #forgetEndTimer(): void {
    clearTimeout(this.#endTimer)
    this.#endTimer = undefined
  }

  #noteEnd({ program, reader, isReady, isMute }: Run): void {
    this.#forgetEndTimer()
    const left = this.#pending.length
    if (left > 0 || !this.#isEnding) {
      const before = left === 0 ? '' : ` before it had given outputs for ${left} of its items`
      if (isMute) void this.#lose(closedItsOutput(program))
      // Ended by a signal, it is not to blame.
      else if (isReady || program.end?.signal !== null) void this.#lose(program.failure(before))
      else this.#fail(program.failure(' before it was ready'))
    } else if (reader.failure !== undefined) this.#fail(reader.failure)
  }

  /** What came for the oldest item is no frame: it is not known where the next one begins. */
  #refuse({ isReady }: Run, error: Error): void {
    const pending = isReady ? this.#pending.shift() : undefined
    if (pending === undefined) {
      this.#fail(error)
      return
    }
    pending.reject(error)
    this.#replace()
  }

  #fail(error: Error): void {
    this.#failure = error
    for (const { reject } of this.#pending.splice(0)) reject(error)
    this.#changed()
  }

  /** The program is gone: so is the worker; where it cannot be, the oldest of the items has failed. */
  async #lose(error: Error): Promise<void> {
    const crash = this.#ctx[CRASH]
    if (crash === undefined) {
      const oldest = this.#pending.shift()
      oldest?.reject(error)
      // Where it had nothing to do, the next item has another one started: it would end again, and again.
      if (oldest === undefined) this.#leave()
      else this.#replace()
      return
    }
    await this.#run?.program.stop()
    if (!this.#isAborted) crash(error)
  }

  #heed(signal: AbortSignal, pending: Pending): void {
    const onAbort = (): void => {
      const place = this.#pending.indexOf(pending)
      if (place < 0 || this.#runSignal.aborted) return
      this.#pending.splice(place, 1)
      pending.reject(signal.reason)
      this.#replace()
    }
    signal.addEventListener('abort', onAbort, { once: true })
  }

  #leave(): Program | undefined {
    const old = this.#run?.program
    this.#run = undefined
    this.#forgetEndTimer()
    void old?.stop()
    return old
  }

  /** Ends the program and sends what waits to another. */
  #replace(): void {
    const old = this.#leave()
    this.#replacing ??= this.#sendAgain(old).then(
      () => {
        this.#replacing = undefined
      },
      (error) => {
        this.#replacing = undefined
        this.#fail(error)
      },
    )
  }

  async #sendAgain(old: Program | undefined): Promise<void> {
    await old?.stop()
    if (this.#isEnding && this.#pending.length === 0) return
    await this.#start()
    for (const { frame } of this.#pending) void this.#run?.writer.writeFrame(frame)
    this.#run?.writer.flush()
  }
}

function closedItsOutput({ spec, stderr }: Program): MillraceError {
  const how = 'closed its output while items were to come, and did not end'
  const message = `program ${show(spec.program)} ${how}${stderr.quote()}`
  return new MillraceError('MILLRACE_COMMAND_FAILED', message)
}
