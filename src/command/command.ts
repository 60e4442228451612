/** Any program as a source, a stage or a sink. */
import type { SourceObject, StageObject } from '../define/stage-body.ts'
import { COMMAND, STREAM, type StreamBody } from '../define/stream-body.ts'
import { invalidOption } from '../errors.ts'
import { checkOptions } from '../plan/check-options.ts'
import { COMMAND_OPTIONS, type CommandOptions, type Mapping } from './command-options.ts'
import { CommandPairs } from './command-pairs.ts'
import { CommandSource } from './command-source.ts'
import { CommandStream } from './command-stream.ts'
import type { FrameOf, Framing } from './framing.ts'
import type { CheckedCommand } from './spec.ts'

/** A program, to be given to `.stage()` or `.sink()`, and, where it gives what it gives, to `.source()`. */
export type Command<Input extends Framing, Output extends Framing, M extends Mapping> = M extends 'one-to-one'
  ? StageObject<FrameOf<Input>, Promise<FrameOf<Output>>, unknown, Promise<undefined>>
  : SourceObject<FrameOf<Output>> & StreamBody<FrameOf<Input>, FrameOf<Output>>

/**
 * Any program as a source, a stage or a sink: started without a shell, in a process group of its own, once in each worker.
 * It is told the end of the stream by the end of its input, and its exit status is part of the outcome.
 *
 * mapping 'stream' (the default): it gives what it gives. An item counts as done when the program has it, so when the
 * program fails the run fails. 'one-to-one': each item gives one output, in order; a program that dies is started again
 * with what it had in hand, as a worker is. Give the stage `concurrency`, so that it has several items at a time.
 *
 * @throws MILLRACE_INVALID_OPTION, MILLRACE_UNKNOWN_OPTION; in the run MILLRACE_COMMAND_FAILED, MILLRACE_BAD_FRAME
 * @example
 * pipeline('errors')
 *   .source('log', command({ program: 'zcat', args: [file] }))
 *   .stage('errors', command({ program: 'grep', args: ['-F', 'ERROR'], exitCodes: [0, 1] }))
 *   .sink('write', writeLines('errors.txt'))
 */
export function command<
  const Input extends Framing = 'lines',
  const Output extends Framing = 'lines',
  const M extends Mapping = 'stream',
>(options: CommandOptions<Input, Output, M>): Command<Input, Output, M> {
  const checked = checkOptions('command', COMMAND_OPTIONS, options) as unknown as CheckedCommand
  if (checked.mapping === 'one-to-one' && checked.output === 'chunks')
    throw invalidOption(
      'command',
      'output',
      'what says where an output ends: with mapping "one-to-one" it is not "chunks"',
      'chunks',
    )
  const body = {
    [COMMAND]: true,
    ...sourceOf(checked),
    ...(checked.mapping === 'stream' ? streamOf(checked) : pairsOf(checked)),
  }
  return body as unknown as Command<Input, Output, M>
}

/** As `command` with `mapping: 'one-to-one'`, of a program that gives an empty frame when it is ready. */
export function readyCommand(
  options: CommandOptions<'length-prefixed', 'length-prefixed', 'one-to-one'>,
): StageObject<Uint8Array, Promise<Uint8Array>, unknown, Promise<undefined>> {
  const checked = checkOptions('command', COMMAND_OPTIONS, options) as unknown as CheckedCommand
  return pairsOf(checked, true) as StageObject<Uint8Array, Promise<Uint8Array>, unknown, Promise<undefined>>
}

function sourceOf(checked: CheckedCommand): SourceObject<unknown> {
  // By the context of the worker: several may run on one event loop.
  const sources = new WeakMap<object, CommandSource>()
  return {
    items: async (ctx) => {
      const source = await CommandSource.start(checked, ctx)
      sources.set(ctx, source)
      return source
    },
    close: (ctx) => sources.get(ctx)?.close(),
  }
}

function streamOf(checked: CheckedCommand): StreamBody<unknown, unknown> {
  return { [STREAM]: true, openStream: (ctx, changed) => CommandStream.start(checked, ctx, changed) }
}

function pairsOf(
  checked: CheckedCommand,
  saysReady = false,
): StageObject<unknown, Promise<unknown>, CommandPairs, Promise<undefined>> {
  return {
    open: (ctx) => CommandPairs.start(checked, ctx, saysReady),
    process: (item, pairs, ctx) => pairs.process(item, ctx),
    flush: async (pairs) => {
      await pairs.finish()
      return undefined
    },
    close: (pairs) => pairs.close(),
  }
}
