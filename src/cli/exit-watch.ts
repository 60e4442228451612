/** The end of the process from inside, while something is still to come: it is told, and never counts as success. */
import process from 'node:process'

/** `process.exit()` was called; nothing was left in the event loop; an error was thrown that nobody caught. */
export type ExitCause = 'exit' | 'unsettled' | 'uncaught'

/**
 * Calls back, and takes the exit code from there, if the process ends before the function that it returns was called.
 * @param react can only do what is synchronous
 */
export function watchExit(react: (cause: ExitCause) => number): () => void {
  let isUncaught = false
  let hasRunDry = false
  const onUncaught = (): void => {
    isUncaught = process.listenerCount('uncaughtException') === 0
  }
  const onDry = (): void => {
    hasRunDry = true
    // Runs only if another listener has given the loop something to do.
    setImmediate(() => {
      hasRunDry = false
    }).unref()
  }
  const onExit = (): void => {
    process.exitCode = react(isUncaught ? 'uncaught' : hasRunDry ? 'unsettled' : 'exit')
  }
  process.on('uncaughtExceptionMonitor', onUncaught)
  process.on('beforeExit', onDry)
  process.on('exit', onExit)
  return () => {
    process.off('uncaughtExceptionMonitor', onUncaught)
    process.off('beforeExit', onDry)
    process.off('exit', onExit)
  }
}
