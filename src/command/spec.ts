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

/** @throws MILLRACE_COMMAND_FAILED */
export function startProgram(
  command: CheckedCommand,
  hasInput: boolean,
  ctx: StageContext,
): Promise<Program> {
  const { program, args, cwd, env, killMs, stderr } = command
  const onStderrLine = stderr === 'log' ? (line: string): void => ctx.log.info(line) : undefined
  return Program.start({ program, args, cwd, env, hasInput, killMs, onStderrLine })
}

export function readFrames(
  { output, maxFrameBytes }: CheckedCommand,
  { stdout }: Program,
  ctx: StageContext,
  changed: () => void,
): FrameReader {
  return new FrameReader(
    stdout,
    makeDecoder(output, maxFrameBytes, (bytes) => ctx.alloc(bytes)),
    changed,
  )
}

/** The error that the program's end is; undefined: it ended in order, or has not ended. */
export function failureOf({ exitCodes }: CheckedCommand, program: Program): Error | undefined {
  const { end } = program
  if (end === undefined || program.isStopping) return undefined
  return end.exitCode !== null && exitCodes.includes(end.exitCode) ? undefined : program.failure()
}
