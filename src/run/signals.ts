/** SIGINT and SIGTERM: the first drains, the second aborts, the third ends the process at once. And an AbortSignal. */

export type StopSignal = 'SIGINT' | 'SIGTERM'

export interface SignalSteps {
  drain: (signal: StopSignal) => void
  abort: (signal: StopSignal) => void
}

/** Installs the handlers; returns what removes them. */
export function handleSignals(steps: SignalSteps): () => void {
  let count = 0
  const handle = (signal: StopSignal): void => {
    count++
    if (count === 1) steps.drain(signal)
    else if (count === 2) steps.abort(signal)
    else dieOf(signal)
  }
  process.on('SIGINT', handle)
  process.on('SIGTERM', handle)
  return () => {
    process.off('SIGINT', handle)
    process.off('SIGTERM', handle)
  }
}

/** Aborts when that signal does, or at once if it has; returns what lets go of it. */
export function followSignal(signal: AbortSignal | undefined, abort: (reason: unknown) => void): () => void {
  const onAbort = (): void => abort(signal?.reason)
  if (signal?.aborted) onAbort()
  else signal?.addEventListener('abort', onAbort)
  return () => signal?.removeEventListener('abort', onAbort)
}

/**
 * Ends the process as the signal would have. Nothing else is sure to: `process.exit()` waits for every thread, and a
 * thread in native code may never come back.
 */
export function dieOf(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
}
