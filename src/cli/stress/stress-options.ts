/** What `millrace stress` was told, checked. */
import { randomInt } from 'node:crypto'
import { type CommandLine, usage } from '../command-line.ts'
import { FAULT_KINDS, type FaultKind } from './fault-kinds.ts'

export interface StressOptions {
  seconds: number
  /** Of the first run; each run after it adds one. */
  seed: number
  faults: readonly FaultKind[]
}

const MOST_SEED = 2 ** 31 - 1
const DEFAULT_SECONDS = 30

/** @throws MILLRACE_USAGE */
export function readStressOptions({ file, rest, seconds, seed, faults }: CommandLine): StressOptions {
  const [extra = file] = rest
  if (extra !== undefined) throw usage(`stress takes no file: ${extra}`)
  return { seconds: readSeconds(seconds), seed: readSeed(seed), faults: readFaults(faults) }
}

function readSeconds(text: string | undefined): number {
  if (text === undefined) return DEFAULT_SECONDS
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text)
  throw usage(`--seconds must be a number of seconds, 0 or more, got "${text}"`)
}

function readSeed(text: string | undefined): number {
  if (text === undefined) return randomInt(MOST_SEED)
  const seed = Number(text)
  if (/^\d+$/.test(text) && seed <= MOST_SEED) return seed
  throw usage(`--seed must be an integer from 0 to ${MOST_SEED}, got "${text}"`)
}

function readFaults(text: string | undefined): readonly FaultKind[] {
  if (text === undefined) return FAULT_KINDS
  if (text === 'none') return []
  return text.split(',').map((name) => {
    const kind = FAULT_KINDS.find((known) => known === name.trim())
    if (kind === undefined)
      throw usage(`--faults must be some of ${FAULT_KINDS.join(',')}, or none, got "${name}"`)
    return kind
  })
}
