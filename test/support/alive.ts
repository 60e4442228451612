/** Whether a process is there, and does anything: a zombie is only waited for. */
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { turn } from './turn.ts'

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.startsWith('Z') !== true
  } catch {
    return process.platform !== 'linux'
  }
}

/** Resolves when the process is gone; rejects if it is still there after `withinMs`. */
export async function untilGone(pid: number, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs
  while (isAlive(pid)) {
    if (performance.now() > deadline) throw new Error(`process ${pid} is alive after ${withinMs} ms`)
    await turn()
  }
}
