/** The end of the process, also when a thread is stuck in native code and `process.exit()` would wait for it for ever. */
import process from 'node:process'
import { dieOf } from '../run/signals.ts'
import { withOwnCode } from './exit-code.ts'
import { printError } from './print.ts'
import type { RunEnd } from './run-command.ts'
import { flushStdout } from './standard-streams.ts'

/** How long the process may take to end by itself before what keeps it alive is left behind. */
const LINGER_MS = 100

/** Everything has been printed. */
export async function endProcess({ code: ours, stuck, signal }: RunEnd): Promise<void> {
  const code = withOwnCode(ours)
  process.exitCode = code
  if (stuck.length > 0) endDespite(stuck, code, signal)
  await flushStdout()
  process.once('beforeExit', exitAtOnce)
  // Fires only if something of the user's keeps the process alive, such as a timer of the module's. It may set the code.
  setTimeout(() => process.exit(), LINGER_MS).unref()
}

/**
 * Nothing is left to be done, in this thread and outside. Without this, Node would take the main thread's heap down piece by
 * piece first. Whoever else listens may have something to do yet.
 */
function exitAtOnce(): void {
  if (process.listenerCount('beforeExit') === 0) process.exit()
}

/** Node joins every thread before it exits. A signal does not, nor does a process that becomes another one. */
function endDespite(stuck: string[], code: number, signal: NodeJS.Signals | undefined): void {
  if (signal !== undefined) dieOf(signal)
  const { execve } = process as { execve?: (file: string, args: string[], env: NodeJS.ProcessEnv) => void }
  if (execve !== undefined) {
    process.removeAllListeners('warning')
    execve.call(process, process.execPath, [process.execPath, '-e', `process.exit(${code})`], process.env)
  }
  const names = stuck.map((name) => `"${name}"`).join(', ')
  printError(
    `millrace: the thread of ${names} cannot be ended: this process kills itself (exit code 137, not ${code})\n`,
  )
  process.kill(process.pid, 'SIGKILL')
}
