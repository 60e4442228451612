/** Says what waits on what: when a deadline of the run passes, and whenever SIGQUIT (Ctrl-\) asks for it. */
import process from 'node:process'
import { renderDiagnosis } from '../observe/diagnosis.ts'
import { printableText } from '../observe/printable.ts'
import type { Overdue } from '../observe/report.ts'
import type { PipelineManager } from '../run/manager.ts'

/** @returns to be called when the run has ended: SIGQUIT does again what it does by default */
export function announceDiagnosis(
  run: PipelineManager,
  say: (text: string) => void,
  isQuiet: boolean,
): () => void {
  const tell = (why: string, text: string): void => say(printableText(`millrace: ${why}\n${text}\n`))
  if (!isQuiet) run.on('overdue', (overdue) => tell(whyOf(overdue), renderDiagnosis(overdue.diagnosis)))
  // Windows has no such signal. Whoever asks is answered, quiet or not.
  if (process.platform === 'win32') return () => {}
  const onAsked = (): void => tell('what waits on what:', run.diagnose())
  process.on('SIGQUIT', onAsked)
  return () => process.off('SIGQUIT', onAsked)
}

function whyOf({ deadline, afterMs }: Overdue): string {
  switch (deadline) {
    case 'startMs':
      return `not every stage is open after ${afterMs} ms:`
    case 'drainMs':
      return `not drained after ${afterMs} ms, aborting:`
    case 'abortMs':
      return `not ended ${afterMs} ms after the abort, terminating:`
    case 'terminateMs':
      return `still there ${afterMs} ms after it was terminated, ending without it:`
  }
}
