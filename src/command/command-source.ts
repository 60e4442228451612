/** A program as a source: its output, frame by frame. */
import type { StageContext } from '../define/stage-body.ts'
import type { Program } from '../host/child/program.ts'
import type { FrameReader } from './frame-reader.ts'
import { type CheckedCommand, failureOf, type StartedProgram, startProgram } from './spec.ts'

export class CommandSource implements AsyncIterableIterator<unknown, void> {
  readonly #command: CheckedCommand
  readonly #program: Program
  readonly #reader: FrameReader
  #wake = (): void => {}

  /** @throws MILLRACE_COMMAND_FAILED */
  static async start(command: CheckedCommand, ctx: StageContext): Promise<CommandSource> {
    let changed = (): void => {}
    const source = new CommandSource(
      command,
      await startProgram(command, false, ctx, { changed: () => changed() }),
    )
    changed = () => source.#wake()
    return source
  }

  private constructor(command: CheckedCommand, { program, reader }: StartedProgram) {
    this.#command = command
    this.#program = program
    this.#reader = reader
    void program.ended.then(() => this.#wake())
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<unknown, void>> {
    const reader = this.#reader
    while (!reader.hasFrame) {
      if (reader.failure !== undefined) throw reader.failure
      if (reader.hasEnded && this.#program.end !== undefined) {
        const failure = failureOf(this.#command, this.#program)
        if (failure !== undefined) throw failure
        return { done: true, value: undefined }
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return { done: false, value: reader.take() }
  }

  /** Nobody wants more: the program is ended. Waited for in `close`. */
  async return(): Promise<IteratorResult<unknown, void>> {
    void this.close()
    return { done: true, value: undefined }
  }

  close(): Promise<void> {
    return this.#program.stop()
  }
}
