/** `start`: from a pipeline, or the module that defines one, to a run. */
import type { PipelineModule } from '../define/define-pipeline.ts'
import type { Blueprint } from '../define/pipeline.ts'
import type { RunOptions } from '../define/stage-options.ts'
import { invalidOption } from '../errors.ts'
import type { Options } from '../host/load-pipeline.ts'
import { closeEnds } from '../plan/close-ends.ts'
import { PipelineManager } from './manager.ts'
import { type Loaded, load, prepare, type Startable } from './prepare.ts'

export interface StartSettings<In = unknown> extends RunOptions {
  /** Feeds a pipeline that has no source of its own. */
  input?: Iterable<In> | AsyncIterable<In>
  /** Aborts the run when it is aborted. */
  signal?: AbortSignal
}

/**
 * Starts a pipeline and returns its run at once; what is wrong with it is told by `join()`.
 *
 * @param what what `definePipeline` returned, the URL of a module, or a pipeline whose stages are all on the loop
 * @param options what the module's function gets; must be plain data: every worker gets them
 * @example
 * const run = start(new URL('./words.js', import.meta.url), { file: 'big.txt' })
 * const report = await run.join()
 */
export function start<Given, In, Out>(
  what: PipelineModule<Given, In, Out>,
  options: NoInfer<Given>,
  settings?: StartSettings<In>,
): PipelineManager<Out>
export function start<In, Out>(
  what: Blueprint<In, Out>,
  options?: Record<string, unknown>,
  settings?: StartSettings<In>,
): PipelineManager<Out>
export function start<Out = unknown>(
  what: URL | string,
  options?: Record<string, unknown>,
  settings?: StartSettings,
): PipelineManager<Out>
export function start(what: unknown, options: unknown = {}, settings: StartSettings = {}): PipelineManager {
  const { input, ...run } = settings
  const manager = new PipelineManager(async (output) => {
    const loaded = await load(what as Startable<never, unknown>, options as Options)
    if (input !== undefined && !canBeFed(loaded)) {
      const subject = `pipeline "${loaded.pipeline.name}"`
      throw invalidOption(subject, 'input', 'left out: it has a source of its own', input)
    }
    // A plan can travel, and these cannot.
    const { signal: _, logger: __, ...runOptions } = run
    const context = { hasInput: input !== undefined, canOutput: true, run: runOptions }
    return prepare(loaded, context, { input, output: output.body })
  }, run)
  return manager.start()
}

/** Whether there is a stage that nothing in the pipeline feeds. */
function canBeFed({ pipeline }: Loaded): boolean {
  return closeEnds(pipeline, { hasInput: true }).some(({ builtin }) => builtin === 'input')
}
