/**
 * Ends the process groups of a thread's children when the thread is gone, whatever ended it.
 *
 * A thread that is terminated, or whose process is killed, can end nothing any more. So a small process is started with
 * the first child, which only reads from a pipe what groups there are. The pipe's other end is open in this thread alone:
 * when thread or process are gone, the system closes it, and the small process kills the groups and ends. It has a
 * session of its own, so a signal to the group of ours, or Ctrl-C, does not reach it.
 *
 * A child that is started in the very moment in which its thread is killed may be missed: between the start and the
 * write that tells of it there is nothing but a few lines of ours.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import process from 'node:process'

/** Every line has all groups. Nothing of a user's comes into it: numbers through a pipe. */
const SHELL_SCRIPT = `while read -r line; do groups=$line; done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done`
/** Where there is no shell. */
const NODE_SCRIPT = `let text = ''
process.stdin.on('data', (chunk) => { text += chunk }).on('end', () => {
  for (const group of text.split('\\n').at(-2)?.split(' ') ?? [])
    try { process.kill(-Number(group || NaN), 'SIGKILL') } catch {}
})`

const groups = new Set<number>()
let guardian: ChildProcess | undefined

/** Has the group killed when this thread ends before `forget` is called for it. */
export function guard(group: number): void {
  groups.add(group)
  guardian ??= startGuardian()
  tell(guardian)
}

/** The group is gone. Resolves when nothing of ours is left, if it was the last. */
export async function forget(group: number): Promise<void> {
  if (!groups.delete(group) || guardian === undefined) return
  tell(guardian)
  if (groups.size > 0) return
  const last = guardian
  guardian = undefined
  // So that it is waited for, and no zombie is left.
  last.ref()
  last.stdin?.end()
  if (last.exitCode !== null || last.signalCode !== null) return
  await new Promise<void>((resolve) => last.once('exit', () => resolve()).once('error', () => resolve()))
}

function startGuardian(): ChildProcess {
  const [program, args] = existsSync('/bin/sh')
    ? ['/bin/sh', ['-c', SHELL_SCRIPT]]
    : [process.execPath, ['-e', NODE_SCRIPT]]
  const child = spawn(program, args, {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {},
    cwd: '/',
  })
  const ignore = (): void => {}
  // Whoever kills it takes the protection away, and nothing else.
  child.on('error', ignore)
  child.stdin?.on('error', ignore)
  child.unref()
  ;(child.stdin as unknown as { unref(): void }).unref()
  return child
}

function tell({ stdin }: ChildProcess): void {
  stdin?.write(`${[...groups].join(' ')}\n`)
}
