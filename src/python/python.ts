/** Functions in Python as a stage: see python/millrace.py, which is the other side. */
import { delimiter } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { readyCommand } from '../command/command.ts'
import type { StageObject } from '../define/stage-body.ts'
import { MillraceError } from '../errors.ts'
import { packageFile } from '../host/own-files.ts'
import { decodePython, encodePython } from './python-frame.ts'

export interface PythonOptions {
  /** The program in Python, which calls `millrace.run(function)`. */
  file: string | URL
  /** Its arguments. Default: none. */
  args?: readonly string[]
  /** The interpreter. Default 'python3'. */
  python?: string
  /** Its working directory. Default: ours. */
  cwd?: string | URL
  /** Variables in addition to our environment. */
  env?: Readonly<Record<string, string | undefined>>
  /** Whether what it prints, and says on stderr, is kept for an error's message alone, or goes to `ctx.log.info` too. Default 'keep'. */
  stderr?: 'keep' | 'log'
}

/** Tells millrace.py that stdin and stdout are the protocol's, before the program's own code runs. */
const STAGE_VARIABLE = 'MILLRACE_PYTHON_STAGE'

interface Answer {
  value?: unknown
  error?: { type: string; message: string; traceback: string }
}

/**
 * A stage whose function is in Python: `import millrace` there needs no installation. One process for each worker;
 * it is ended, and started again, as a `command` with `mapping: 'one-to-one'` is, but fails the stage if it exits before it
 * has called `millrace.run`. Give the stage `concurrency`, so that the next item waits there already.
 *
 * Items are what JSON can say, with bytes (`Uint8Array`) and numpy arrays (other typed arrays; of several dimensions
 * `{ data, shape }`). None drops the item. An exception fails it, with its traceback. From `import millrace` on, what
 * is printed there goes to stderr, and stdin is empty.
 *
 * @throws MILLRACE_INVALID_OPTION; in the run MILLRACE_COMMAND_FAILED, MILLRACE_STAGE_FAILED, MILLRACE_NOT_CLONEABLE
 * @example
 * .stage('blur', python({ file: new URL('./blur.py', import.meta.url) }), { concurrency: 4 })
 */
export function python<In, Out>(
  options: PythonOptions,
): StageObject<In, Promise<Out | undefined>, unknown, Promise<undefined>> {
  const { file, args = [], python: program = 'python3', cwd, env, stderr = 'keep' } = options
  const path = file instanceof URL ? fileURLToPath(file) : file
  const ours = fileURLToPath(packageFile('python'))
  const theirs = env?.PYTHONPATH ?? process.env.PYTHONPATH
  const body = readyCommand({
    program,
    args: [path, ...args],
    input: 'length-prefixed',
    output: 'length-prefixed',
    mapping: 'one-to-one',
    maxFrameBytes: 2 ** 30,
    stderr,
    env: {
      ...env,
      PYTHONPATH: theirs === undefined ? ours : `${ours}${delimiter}${theirs}`,
      [STAGE_VARIABLE]: '1',
    },
    ...(cwd === undefined ? {} : { cwd }),
  })
  const { open, flush, close } = body
  return {
    ...(open && { open }),
    ...(flush && { flush }),
    ...(close && { close }),
    process: async (item, pairs, ctx) => {
      const frame = await body.process(encodePython(item), pairs, ctx)
      const { value, error } = decodePython(frame) as Answer
      if (error === undefined) return (value ?? undefined) as Out | undefined
      const { type, message, traceback } = error
      throw new MillraceError('MILLRACE_STAGE_FAILED', `${type}: ${message}\n${traceback.trimEnd()}`)
    },
  }
}
