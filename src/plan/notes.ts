/** What was asked for and will not do what it seems to. */
import type { Blueprint } from '../define/pipeline.ts'
import type { StageObject } from '../define/stage-body.ts'
import type { CheckedStage } from './option-rules.ts'

export function noteWhatCannotBe(
  { deadLettersTo }: Blueprint<never, unknown>,
  stages: readonly CheckedStage[],
): string[] {
  const notes: string[] = []
  for (const { definition, options } of stages) {
    if (options.on === 'loop' && options.timeoutMs !== undefined && !isAsync(definition.body)) {
      notes.push(`stage "${definition.name}": on the loop, timeoutMs ends only what is awaited`)
    }
  }
  const isUsed = stages.some(({ definition }) => definition.takesDeadLetters)
  if (deadLettersTo !== undefined && !isUsed) {
    notes.push(`no stage has onError "dead-letter": nothing goes to the dead letters`)
  }
  return notes
}

/** Whether it is known to be: any function may return a promise. */
function isAsync(body: unknown): boolean {
  const process = typeof body === 'function' ? body : (body as StageObject<unknown, unknown, unknown>).process
  return /^Async/.test(process?.constructor.name ?? '')
}
