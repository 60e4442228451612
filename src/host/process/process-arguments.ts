/** How Node is started for a stage in a process. */
import process from 'node:process'
import type { PlannedProcess } from '../../plan/plan.ts'

/** Flags of ours that are about our own program, our debugger or our tests. */
const OWN =
  /^(-e|--eval|-p|--print|-c|--check|-i|--interactive|--input-type|--test\b.*|--watch\b.*|--inspect\b.*|--cpu-prof\b.*|--heap-prof\b.*|--prof\b.*|--max-old-space-size|--max-semi-space-size)(=|$)/
/** Those of them that take the next argument. */
const WITH_VALUE = new Set(['-e', '--eval', '-p', '--print', '--input-type'])

/** The flags of our own Node that load modules, then the stage's memory limits and its own `execArgv`. */
export function processArguments(
  { resourceLimits = {}, execArgv = [] }: PlannedProcess,
  entry: string,
): string[] {
  return [...inherited(process.execArgv), ...memoryFlags(resourceLimits), ...execArgv, entry]
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
