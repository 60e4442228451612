/** A program that takes items and gives outputs side by side. */
import type { StageContext } from '../define/stage-body.ts'
import type { StageStream } from '../define/stream-body.ts'
import { bug } from '../errors.ts'
import type { Program } from '../host/child/program.ts'
import type { FrameReader } from './frame-reader.ts'
import { FrameWriter } from './frame-writer.ts'
import { type CheckedCommand, failureOf, type StartedProgram, startProgram } from './spec.ts'

export class CommandStream implements StageStream<unknown, unknown> {
  readonly #command: CheckedCommand
  readonly #program: Program
  readonly #reader: FrameReader
  readonly #writer: FrameWriter
  #hasProgramEnded = false

  /** @throws MILLRACE_COMMAND_FAILED */
  static async start(
    command: CheckedCommand,
    ctx: StageContext,
    changed: () => void,
  ): Promise<CommandStream> {
    return new CommandStream(command, await startProgram(command, true, ctx, { changed }), changed)
  }

  private constructor(command: CheckedCommand, { program, reader }: StartedProgram, changed: () => void) {
    if (program.stdin === undefined) throw bug('a program without an input')
    this.#command = command
    this.#program = program
    this.#reader = reader
    this.#writer = new FrameWriter(program.stdin, command.input, changed)
    void program.ended.then(() => {
      this.#hasProgramEnded = true
      changed()
    })
  }

  get isWritable(): boolean {
    return this.#writer.isWritable
  }

  write(item: unknown): undefined | Promise<void> {
    return this.#writer.write(item)
  }

  flush(): void {
    this.#writer.flush()
  }

  end(): void {
    this.#writer.end()
  }

  get hasOutput(): boolean {
    return this.#reader.hasFrame
  }

  take(): unknown {
    return this.#reader.take()
  }

  get hasEnded(): boolean {
    return this.#reader.hasEnded && this.#hasProgramEnded
  }

  /** After its last output: what it gave before it failed is good. */
  get failure(): Error | undefined {
    return this.#reader.failure ?? (this.hasEnded ? failureOf(this.#command, this.#program) : undefined)
  }

  close(): Promise<void> {
    return this.#program.stop()
  }
}
