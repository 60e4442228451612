/** The command line as a child process, from source. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import type { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Report } from '../../src/index.ts'
import { lateTellers } from './harness.ts'
import { COMMAND, nameHere, ROOT } from './places.ts'

export const DEMO = fixture('../../../examples/demo/pipeline.ts')

/** A file of `test/fixtures/cli`. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(nameHere(`../fixtures/cli/${name}`), import.meta.url))
}

/** The program and its arguments. */
export function millraceLine(args: readonly string[]): string[] {
  return [process.execPath, ...COMMAND, ...args]
}

/** How long a process that is asked what it waits for may take to say so. */
const ANSWER_MS = 1_000

export interface CommandEnd {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** One run of `millrace`; killed with the test if it has not ended. */
export class Command {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  readonly end: Promise<CommandEnd>
  stdout = ''
  stderr = ''

  constructor(t: TestContext, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, [...COMMAND, ...args], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stdout.setEncoding('utf8').on('data', (text) => (this.stdout += text))
    this.child.stderr.setEncoding('utf8').on('data', (text) => (this.stderr += text))
    this.end = once(this.child, 'close').then(([code, signal]) => {
      return { code, signal, stdout: this.stdout, stderr: this.stderr }
    })
    const tell = (): Promise<string> => this.#tellWhatWaits()
    lateTellers.add(tell)
    t.after(() => {
      lateTellers.delete(tell)
      this.child.kill('SIGKILL')
    })
  }

  /** The test is late: what this process says of it, if it is still there and can. */
  async #tellWhatWaits(): Promise<string> {
    const { length } = this.stderr
    if (this.child.exitCode === null && this.child.kill('SIGQUIT')) {
      const answered = once(this.child.stderr, 'data', { signal: AbortSignal.timeout(ANSWER_MS) })
      await answered.catch(() => {})
    }
    return `${this.child.spawnargs.join(' ')}: exit code ${this.child.exitCode}\n${this.stderr.slice(length)}`
  }

  /** Resolves when the text has come; rejects if the process ends without it. */
  async shows(stream: 'stdout' | 'stderr', text: string): Promise<void> {
    while (!this[stream].includes(text)) {
      const ended = await Promise.race([
        once(this.child[stream], 'data').then(() => false),
        this.end.then(() => true),
      ])
      if (ended && !this[stream].includes(text)) {
        throw new Error(`it ended without "${text}" on ${stream}:\n${this.stdout}\n${this.stderr}`)
      }
    }
  }
}

/** Runs it to its end. */
export function millrace(t: TestContext, ...args: string[]): Promise<CommandEnd> {
  return new Command(t, args).end
}

/** The report that `--json` prints as the last line. */
export function lastLine({ stdout }: CommandEnd): Report {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) as string)
}
