/** How Node is started for a stage in a process. */
import { createRequire } from 'node:module'
import path from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import type { PlannedProcess } from '../../plan/plan.ts'

/** Flags of ours that are about our own program, our debugger or our tests. */
const OWN =
  /^(-e|--eval|-p|--print|-c|--check|-i|--interactive|--input-type|--test\b.*|--watch\b.*|--inspect\b.*|--cpu-prof\b.*|--heap-prof\b.*|--prof\b.*|--max-old-space-size|--max-semi-space-size)(=|$)/
/** Those of them that take the next argument. */
const WITH_VALUE = new Set(['-e', '--eval', '-p', '--print', '--input-type'])

/** Flags whose value is a module, or a file: found from our working directory, whatever the process has. */
const OF_MODULES = /^(-r|--require|--import|--loader|--experimental-loader)$/
const OF_FILES = /^--env-file(-if-exists)?$/

/** The flags of our own Node that load modules, then the stage's memory limits and its own `execArgv`. */
export function processArguments(
  { resourceLimits = {}, execArgv = [], cwd }: PlannedProcess,
  entry: string,
): string[] {
  const ours = inherited(process.execArgv)
  const found = cwd === undefined ? ours : foundFrom(process.cwd(), ours)
  return [...found, ...memoryFlags(resourceLimits), ...execArgv, entry]
}

function foundFrom(folder: string, flags: readonly string[]): string[] {
  return flags.map((flag, index) => {
    const at = flag.startsWith('--') ? flag.indexOf('=') : -1
    if (at > 0) return `${flag.slice(0, at + 1)}${find(flag.slice(0, at), flag.slice(at + 1), folder)}`
    return index > 0 ? find(flags[index - 1], flag, folder) : flag
  })
}

/** The value of a flag by its whole name; as it is, if it names nothing that we could find. */
function find(flag: string, value: string, folder: string): string {
  if (OF_FILES.test(flag)) return path.resolve(folder, value)
  // URLs say where they are.
  if (!OF_MODULES.test(flag) || /^[a-z][a-z0-9+.-]+:/i.test(value)) return value
  try {
    const file = createRequire(path.join(folder, 'any.js')).resolve(value)
    return flag === '-r' || flag === '--require' ? file : pathToFileURL(file).href
  } catch {
    return value
  }
}

function inherited(flags: readonly string[]): string[] {
  return flags.filter((flag, index) => !OWN.test(flag) && !WITH_VALUE.has(flags[index - 1]))
}

function memoryFlags({
  maxOldGenerationSizeMb: old,
  maxYoungGenerationSizeMb: young,
}: NonNullable<PlannedProcess['resourceLimits']>): string[] {
  const flags: string[] = []
  if (old !== undefined) flags.push(`--max-old-space-size=${Math.max(1, Math.round(old))}`)
  // The young generation is three semi-spaces.
  if (young !== undefined) flags.push(`--max-semi-space-size=${Math.max(1, Math.round(young / 3))}`)
  return flags
}
