/** From the options of a command to what is started, and what its end means. */
import type { StageContext } from '../define/stage-body.ts'
import { Program } from '../host/child/program.ts'
import type { CommandOptions, Mapping } from './command-options.ts'
import { makeDecoder, ReadyDecoder } from './frame-decoder.ts'
import { FrameReader } from './frame-reader.ts'
import type { Framing } from './framing.ts'

/** With the defaults filled in. */
export type CheckedCommand = CommandOptions<Framing, Framing, Mapping> &
  Required<
    Pick<
      CommandOptions<Framing, Framing, Mapping>,
      'args' | 'input' | 'output' | 'mapping' | 'exitCodes' | 'stderr' | 'maxFrameBytes' | 'killMs'
    >
  >

/** A program, and the frames of its output. */
export interface StartedProgram {
  program: Program
  reader: FrameReader
}

export interface StartSteps {
  /** The reader has something new; not before the program has started. */
  changed: () => void
  /** Whose item a frame belongs to, that comes after so many that wait to be taken. Default: the worker's own. */
  contextOf?: (waiting: number) => StageContext
  /** The program says when it is ready, by an empty frame; left out: it does not. */
  onReady?: (() => void) | undefined
}

/**
 * @throws MILLRACE_COMMAND_FAILED
 */
export async function startProgram(
  command: CheckedCommand,
  hasInput: boolean,
  ctx: StageContext,
  { changed, contextOf = () => ctx, onReady }: StartSteps,
): Promise<StartedProgram> {
  const { args, cwd, env, killMs, stderr, output, maxFrameBytes } = command
  const onStderrLine = stderr === 'log' ? (line: string): void => ctx.log.info(line) : undefined
  const alloc = (bytes: number): Uint8Array => contextOf(reader.waiting).alloc(bytes)
  const frames = makeDecoder(output, maxFrameBytes, alloc)
  const reader = new FrameReader(onReady === undefined ? frames : new ReadyDecoder(frames, onReady), changed)
  const spec = { program: command.program, args, cwd, env, hasInput, killMs, onStderrLine }
  const program = await Program.start({ ...spec, stdoutInto: reader.target })
  reader.follow(program.stdout)
  return { program, reader }
}

/** The error that the program's end is; undefined: it ended in order, or has not ended. */
export function failureOf({ exitCodes }: CheckedCommand, program: Program): Error | undefined {
  const { end } = program
  if (end === undefined || program.isStopping) return undefined
  return end.exitCode !== null && exitCodes.includes(end.exitCode) ? undefined : program.failure()
}
