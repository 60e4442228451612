/**
 * A program that runs beside us: started without a shell, in a process group of its own, so that Ctrl-C in a terminal
 * reaches us alone and everything it starts can be ended with it. See guardian.ts for what ends it when we are killed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import process from 'node:process'
import type { Duplex, Readable, Writable } from 'node:stream'
import { setDeadline } from '../../deadline.ts'
import { Deferred } from '../../deferred.ts'
import { MillraceError, show } from '../../errors.ts'
import { forget, guard } from './guardian.ts'
import { openReadPipe, type ReadPipe, type ReadTarget } from './read-pipe.ts'
import { StderrTail } from './stderr-tail.ts'

export interface ProgramSpec {
  program: string
  args: readonly string[]
  cwd: string | URL | undefined
  /** In addition to ours; undefined takes a variable away. */
  env: Readonly<Record<string, string | undefined>> | undefined
  /** Whether it reads anything; else its standard input is empty. */
  hasInput: boolean
  /** How long it has after SIGTERM before it is killed, in milliseconds. */
  killMs: number
  /** Its standard output is read straight into this where that can be done: then `stdout` has no 'data'. */
  stdoutInto?: ReadTarget | undefined
  /** Takes its standard output as it comes; else `stdout` is to be read. */
  onStdout?: (chunk: Buffer) => void
  /** Takes its standard error as it comes. */
  onStderr?: (chunk: Buffer) => void
  /** Takes each line of its standard error. */
  onStderrLine?: ((line: string) => void) | undefined
  /** It gets so many pipes to us in addition, from descriptor 3 on. Default 0. */
  extraPipes?: number
}

/** Exactly one of the two is there. */
export interface ProgramEnd {
  exitCode: number | null
  signal: NodeJS.Signals | null
}

/** A program has ended: what it left behind in its group has so long to follow. */
const LEFTOVER_MS = 1_000
/** It has ended, and so has its group: its pipes are read for so long, should somebody else keep them open. */
const LAST_WORDS_MS = 100

export class Program {
  readonly spec: ProgramSpec
  readonly stdin: Writable | undefined
  readonly stdout: Readable
  readonly extra: readonly Duplex[]
  readonly stderr: StderrTail
  /** Resolves when it has ended and what it said is read. Never rejects. */
  readonly ended: Promise<ProgramEnd>
  readonly #child: ChildProcess
  readonly #ended = new Deferred<ProgramEnd>()
  #end: ProgramEnd | undefined
  #hasExited = false
  /** Whether the group may have members: its number can belong to nobody else as long as it has. */
  #hasGroup = true
  #isStopping = false
  #stopped: Promise<void> | undefined
  readonly #stdoutRead: Promise<void>
  #leftoverTimer: NodeJS.Timeout | undefined

  /** @throws MILLRACE_COMMAND_FAILED if it cannot be started */
  static async start(spec: ProgramSpec): Promise<Program> {
    const pipe = spec.stdoutInto && (await openReadPipe(spec.stdoutInto))
    const program = new Program(spec, pipe)
    const started = new Deferred<Error | undefined>()
    program.#child
      .once('spawn', () => started.resolve(undefined))
      .once('error', (error) => started.resolve(error))
    const error = await started.promise
    if (error === undefined) return program
    pipe?.ours.destroy()
    throw notStarted(spec, error as NodeJS.ErrnoException)
  }

  private constructor(spec: ProgramSpec, pipe: ReadPipe | undefined) {
    this.spec = spec
    this.#child = spawnProgram(spec, pipe)
    const { pid, stdin, stderr } = this.#child
    const stdout = pipe?.ours ?? this.#child.stdout
    if (pid !== undefined) guard(pid)
    this.stdin = stdin ?? undefined
    this.stdout = stdout as Readable
    // Without descriptors for its pipes there is none.
    this.extra = (this.#child.stdio ?? []).slice(3) as unknown as Duplex[]
    this.stderr = new StderrTail(stderr ?? undefined, spec)
    if (spec.onStdout !== undefined) stdout?.on('data', spec.onStdout)
    // A pipe that breaks is one that has ended.
    stdout?.on('error', () => {})
    this.ended = this.#ended.promise
    this.#stdoutRead = new Promise((resolve) => stdout?.once('close', () => resolve()))
    // What it does not read is no error of ours: its end says whether it was one of its own.
    stdin?.on('error', () => {})
    // Kept, so that an error after the start is heard.
    this.#child.on('error', () => {})
    this.#child.once('exit', (exitCode, signal) => void this.#onExit({ exitCode, signal }))
  }

  /** Whether it was told to end. */
  get isStopping(): boolean {
    return this.#isStopping
  }

  /** Once what it said is read. */
  get end(): ProgramEnd | undefined {
    return this.#end
  }

  /** Ends it: SIGTERM to all its group, after `killMs` SIGKILL. Resolves when it is gone, whoever calls it, however often. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    this.#isStopping = true
    this.stdin?.destroy()
    this.stdout.destroy()
    for (const pipe of this.extra) pipe.destroy()
    if (!this.#hasExited) {
      this.#signal('SIGTERM')
      const timer = setDeadline(() => this.#signal('SIGKILL'), this.spec.killMs)
      await this.ended
      clearTimeout(timer)
    }
    clearTimeout(this.#leftoverTimer)
    this.#signal('SIGKILL')
    this.#hasGroup = false
    await forget(this.#child.pid ?? 0)
  }

  /** The error that its end is; `what` was expected of it. */
  failure(what = ''): MillraceError {
    const { exitCode, signal } = this.#end ?? { exitCode: null, signal: null }
    const message = `program ${show(this.spec.program)} ${this.describeEnd()}${what}${this.stderr.quote()}`
    const error = new MillraceError('MILLRACE_COMMAND_FAILED', message)
    return Object.assign(error, { exitCode, signal, stderr: this.stderr.text })
  }

  /** `exited with status 1`, `was ended by SIGKILL`. */
  describeEnd(): string {
    const { exitCode, signal } = this.#end ?? { exitCode: null, signal: null }
    return signal === null ? `exited with status ${exitCode}` : `was ended by ${signal}`
  }

  async #onExit(end: ProgramEnd): Promise<void> {
    this.#hasExited = true
    this.#hasGroup = this.#hasGroup && isAlive(this.#child.pid ?? 0)
    // Whoever lives on may hold the output open for ever.
    if (this.#hasGroup) this.#leftoverTimer = setTimeout(() => this.#signal('SIGKILL'), LEFTOVER_MS)
    await this.#lastWords((this.#hasGroup ? LEFTOVER_MS : 0) + LAST_WORDS_MS)
    this.#end = end
    this.#ended.resolve(end)
  }

  /** A daemon that has left the group may have its stderr as long as it lives. */
  async #lastWords(mostMs: number): Promise<void> {
    const { onStdout } = this.spec
    const close = (): void => {
      this.#child.stderr?.destroy()
      if (onStdout !== undefined) this.stdout.destroy()
    }
    // The event loop may have been blocked: what is in the pipes is read before they are closed.
    const timer = setTimeout(() => setImmediate(close), mostMs)
    await this.stderr.read
    if (onStdout !== undefined) await this.#stdoutRead
    clearTimeout(timer)
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child
    if (!this.#hasGroup || pid === undefined) return
    try {
      process.kill(-pid, signal)
    } catch {
      // Gone.
    }
  }
}

function spawnProgram(spec: ProgramSpec, pipe: ReadPipe | undefined): ChildProcess {
  const { program, args, cwd, env, hasInput, extraPipes = 0 } = spec
  try {
    return spawn(program, args, {
      cwd,
      env: env === undefined ? process.env : { ...process.env, ...env },
      detached: true,
      shell: false,
      stdio: [
        hasInput ? 'pipe' : 'ignore',
        pipe?.theirs ?? 'pipe',
        'pipe',
        ...Array.from({ length: extraPipes }, () => 'pipe' as const),
      ],
    })
  } catch (error) {
    pipe?.ours.destroy()
    throw notStarted({ program }, error as NodeJS.ErrnoException)
  } finally {
    // The program has its own; it ends when all are closed.
    pipe?.theirs.destroy()
  }
}

function isAlive(group: number): boolean {
  try {
    return process.kill(-group, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function notStarted(spec: Pick<ProgramSpec, 'program'>, cause: NodeJS.ErrnoException): MillraceError {
  const why = cause.code === 'ENOENT' ? 'there is none of this name, or no such cwd' : cause.message
  const message = `program ${show(spec.program)} cannot be started: ${why}`
  return new MillraceError('MILLRACE_COMMAND_FAILED', message, { cause })
}
