/** From the options of a command to what is started, and what its end means. */
import type { StageContext } from '../define/stage-body.ts'
import { Program } from '../host/child/program.ts'
import type { CommandOptions, Mapping } from './command-options.ts'
import { makeDecoder } from './frame-decoder.ts'
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

/**
 * @param changed called when the reader has something new, not before this has resolved
 * @param contextOf whose item a frame of so many bytes belongs to, that comes after so many that wait to be taken
 * @throws MILLRACE_COMMAND_FAILED
 */
export async function startProgram(
  command: CheckedCommand,
  hasInput: boolean,
  ctx: StageContext,
  changed: () => void,
  contextOf: (waiting: number, bytes: number) => StageContext = () => ctx,
): Promise<StartedProgram> {
  const { args, cwd, env, killMs, stderr, output, maxFrameBytes } = command
  const onStderrLine = stderr === 'log' ? (line: string): void => ctx.log.info(line) : undefined
  const alloc = (bytes: number): Uint8Array => contextOf(reader.waiting, bytes).alloc(bytes)
  const reader = new FrameReader(makeDecoder(output, maxFrameBytes, alloc), changed)
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
