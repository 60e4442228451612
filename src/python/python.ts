/** Functions in Python as a stage: see python/millrace.py, which is the other side. */
import { delimiter } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { readyCommand } from '../command/command.ts'
import { COMMAND_OPTIONS } from '../command/command-options.ts'
import type { OptionTable } from '../define/option-table.ts'
import type { StageObject } from '../define/stage-body.ts'
import { MillraceError } from '../errors.ts'
import { packageFile } from '../host/own-files.ts'
import { checkOptions } from '../plan/check-options.ts'
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

const { program: path, args, cwd, env, stderr } = COMMAND_OPTIONS

const PYTHON_OPTIONS = {
  file: {
    expected: 'the path or the file: URL of a program in Python',
    isValid: (value) => (value instanceof URL ? value.protocol === 'file:' : path.isValid(value)),
    isRequired: true,
    doc: 'The program in Python.',
  },
  args,
  python: { expected: path.expected, isValid: path.isValid, default: 'python3', doc: 'The interpreter.' },
  cwd,
  env,
  stderr,
} as const satisfies OptionTable

type Checked = PythonOptions & Required<Pick<PythonOptions, 'args' | 'python' | 'stderr'>>

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
 * Items are what JSON can say, with bytes (`Uint8Array`), numpy arrays (other typed arrays; of several dimensions
 * `{ data, shape }`), integers of any size (from 2^53 on they come as bigints; a bigint is an int there), NaN and infinity.
 * None drops the item. An exception fails it, with its traceback. From `import millrace` on, what
 * is printed there goes to stderr, and stdin is empty.
 *
 * @throws MILLRACE_INVALID_OPTION, MILLRACE_UNKNOWN_OPTION; in the run MILLRACE_COMMAND_FAILED, MILLRACE_STAGE_FAILED,
 *   MILLRACE_NOT_CLONEABLE, MILLRACE_BAD_FRAME
 * @example
 * .stage('blur', python({ file: new URL('./blur.py', import.meta.url) }), { concurrency: 4 })
 */
export function python<In, Out>(
  options: PythonOptions,
): StageObject<In, Promise<Out | undefined>, unknown, Promise<undefined>> {
  const checked = checkOptions('python', PYTHON_OPTIONS, options) as unknown as Checked
  const { file, args, python: program, cwd, env, stderr } = checked
  const ours = fileURLToPath(packageFile('python'))
  const theirs = env?.PYTHONPATH ?? process.env.PYTHONPATH
  const body = readyCommand({
    program,
    args: [file instanceof URL ? fileURLToPath(file) : file, ...args],
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
