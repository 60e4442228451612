/** The end of the process from inside, while something is still to come: it is told, and never counts as success. */
import process from 'node:process'

/** Node's exit code when the event loop runs dry before a top-level await is settled. */
const UNSETTLED = 13

/** `process.exit()` was called; nothing was left in the event loop; an error was thrown that nobody caught. */
export type ExitCause = 'exit' | 'unsettled' | 'uncaught'

/**
 * Calls back, and takes the exit code from there, if the process ends before the function that it returns was called.
 * @param react can only do what is synchronous
 */
export function watchExit(react: (cause: ExitCause) => number): () => void {
  let isUncaught = false
  const onUncaught = (): void => {
    isUncaught = process.listenerCount('uncaughtException') === 0
  }
  const onExit = (code: number): void => {
    // Node 20 notes it in a listener of its own, after the code was handed out.
    const isUnsettled = code === UNSETTLED || process.exitCode === UNSETTLED
    process.exitCode = react(isUncaught ? 'uncaught' : isUnsettled ? 'unsettled' : 'exit')
  }
  process.on('uncaughtExceptionMonitor', onUncaught)
  process.on('exit', onExit)
  return () => {
    process.off('uncaughtExceptionMonitor', onUncaught)
    process.off('exit', onExit)
  }
}
