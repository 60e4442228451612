/**
 * `npm run verify`: all that is checked of the protocol, with its figures. README.md beside this file says what it proves.
 *
 *   npm run verify                    everything: about ten minutes on two cores
 *   npm run verify -- --short         what continuous integration runs
 *   npm run verify -- worlds model    some parts: worlds, bounded, self, random, mutations, model, fuzz
 *   npm run verify -- --world NAME    one world; with --seed S, the random schedules of that seed
 */
import { parseArgs } from 'node:util'
import type { Reduction } from './explorer/compare-reduction.ts'
import type { Exploration } from './explorer/explore.ts'
import type { LockstepRuns } from './explorer/lockstep.ts'
import type { RandomRuns } from './explorer/random-schedules.ts'
import type { FuzzResult } from './fuzz/fuzz-codec.ts'
import type { LaneFuzzResult } from './fuzz/fuzz-lane.ts'
import type { Caught, Shown } from './job.ts'
import { type ModelResult, missingTool } from './model/check-model.ts'
import { MODEL_CHECKS } from './model/model-checks.ts'
import { MUTATIONS } from './mutations/mutations.ts'
import { runJob, runJobs } from './run-jobs.ts'
import { listWorlds } from './worlds/list.ts'

const PARTS = ['worlds', 'bounded', 'self', 'random', 'mutations', 'model', 'fuzz'] as const
type Part = (typeof PARTS)[number]
/** Larger worlds of which the short run tries random schedules. */
const TRIED = ['hand 2x2', 'chain with promises', 'chain death, long', 'merge', 'merge death', 'retire']
/** Small worlds, of many schedules each. */
const COUNTED = [
  'hand 1x1 of 2',
  'hand abort',
  'hand 2x1',
  'hand 1x2',
  'pair of 2',
  'pair drain',
  'pair abort',
  'chain of 1',
]

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    seed: { type: 'string' },
    world: { type: 'string' },
  },
})
const isShort = options.short
const seed = Number(options.seed ?? Math.floor(Math.random() * 2 ** 30))
const parts: readonly Part[] = positionals.length > 0 ? (positionals as Part[]) : PARTS
for (const part of parts) if (!PARTS.includes(part)) fail(`there is no part "${part}": ${PARTS.join(', ')}`)

const began = performance.now()
/** What went wrong; empty: nothing. */
const faults: string[] = []
let states = 0
let steps = 0
let walked = 0
let schedules = 0
let classes = 0

const worlds = await listWorlds()
if (options.world !== undefined) await runWorld(options.world)
else {
  console.log(`seed ${seed}${isShort ? ', short' : ''}`)
  if (parts.includes('worlds')) await exploreWorlds()
  if (parts.includes('bounded') && !isShort) await exploreBounded()
  if (parts.includes('self')) await checkItself()
  if (parts.includes('random')) await runRandom()
  if (parts.includes('mutations')) await runMutations()
  if (parts.includes('model')) await runModel()
  if (parts.includes('fuzz')) await fuzz()
}

const seconds = ((performance.now() - began) / 1000).toFixed(0)
console.log(
  `\n${count(states)} states, ${count(steps)} steps, ${seconds} s. Distinct schedules: ${count(walked)} walked ` +
    `by exploring, ${count(schedules)} at random (${count(classes)} but for the order of steps that do not meet)`,
)
if (faults.length > 0) fail(`${faults.length} of the checks failed:\n  ${faults.join('\n  ')}`)
console.log('verified')

async function runWorld(world: string): Promise<void> {
  if (options.seed === undefined) {
    showExploration(await runJob<Exploration & Shown>({ do: 'explore', world, mostMs: 600_000 }))
  } else showRandom(await runJob<RandomRuns & Shown>({ do: 'random', world, seed, mostMs: 60_000 }))
}

async function exploreWorlds(): Promise<void> {
  title('worlds: every schedule of the shipped code')
  row(['world', 'states', 'steps', 'walked', 'schedules', 'endings', 'cycles', 's', ''])
  const chosen = worlds.filter(
    ({ isLarge, preemptions, isQuick }) => !isLarge && preemptions === undefined && (!isShort || isQuick),
  )
  const jobs = chosen.map(
    ({ name }) => ({ do: 'explore', world: name, mostMs: isShort ? 120_000 : 300_000 }) as const,
  )
  await runJobs<Exploration & Shown>(jobs, showExploration)
}

function showExploration(found: Exploration & Shown): void {
  const { world, isComplete, violation } = found
  states += found.states
  steps += found.steps + found.plainSteps
  // Each way ends where it meets a known state, or at an ending, and is like no other.
  const ways = found.steps - found.states + 1 + found.endings
  walked += ways
  const how = violation !== undefined ? 'VIOLATION' : isComplete ? 'all' : 'NOT ALL: the time was over'
  row([
    world,
    count(found.states),
    count(found.steps + found.plainSteps),
    count(ways),
    found.schedules === 0
      ? ''
      : found.schedules < 1e6
        ? count(found.schedules)
        : found.schedules.toExponential(1),
    count(found.endings),
    count(found.cycles),
    (found.elapsedMs / 1000).toFixed(1),
    how,
  ])
  if (!isComplete && violation === undefined) faults.push(`world "${world}" was not explored to its end`)
  if (found.cycles > 0) faults.push(`world "${world}" has schedules without an end`)
  if (violation !== undefined) tell(`world "${world}"`, violation.what, found.table)
}

async function exploreBounded(): Promise<void> {
  title(
    'larger worlds: every schedule with so many switches away from a thread that could go on, and no more',
  )
  row(['world', 'states', 'steps', 'walked', 'schedules', 'endings', 'cycles', 's', ''])
  for (const preemptions of [1, 2]) {
    const chosen = worlds.filter((world) => world.preemptions === preemptions)
    const jobs = chosen.map(
      ({ name }) => ({ do: 'explore', world: name, preemptions, mostMs: 240_000 }) as const,
    )
    if (jobs.length > 0) console.log(`  at most ${preemptions}:`)
    await runJobs<Exploration & Shown>(jobs, showExploration)
  }
}

/** What the explorer leaves out must make no difference. */
async function checkItself(): Promise<void> {
  title('self-check: random schedules in lockstep, local states merged and not')
  const mostMs = isShort ? 1_200 : 3_000
  const jobs = worlds
    .filter(({ isQuick }) => !isShort || isQuick)
    .map(({ name }, index) => ({ do: 'lockstep', world: name, seed: seed + index, mostMs }) as const)
  let all = 0
  let allSteps = 0
  let differences = 0
  await runJobs<LockstepRuns>(jobs, ({ world, schedules: some, steps: its, difference }) => {
    all += some
    allSteps += its
    if (difference === undefined) return
    differences++
    faults.push(`merging changes world "${world}": ${difference}`)
  })
  const how = differences === 0 ? 'each time the same' : `${differences} DIFFERENCES`
  console.log(`  ${jobs.length} worlds, ${count(all)} schedules, ${count(allSteps)} steps: ${how}`)
  title(
    'self-check: the same endings without the schedules that differ in the order of steps that do not meet',
  )
  const small = worlds.filter(({ isQuick }) => isQuick)
  const pairs = small.map(({ name }) => ({ do: 'reduction', world: name, mostMs: 120_000 }) as const)
  await runJobs<Reduction>(pairs, ({ world, wholeStates, states: left, outcomes, isSame }) => {
    console.log(
      `  ${world.padEnd(26)}${count(wholeStates).padStart(12)} states, ${count(left).padStart(9)} left, ` +
        `${outcomes} outcomes: ${isSame ? 'the same' : 'NOT THE SAME'}`,
    )
    if (!isSame) faults.push(`leaving out schedules changes world "${world}"`)
  })
}

async function runRandom(): Promise<void> {
  title('random schedules, larger worlds')
  row(['world', 'schedules', 'distinct', 'classes', 'steps', 's', 'k steps/s', ''])
  const large = worlds.filter(({ name, isLarge, preemptions }) =>
    isShort ? TRIED.includes(name) : isLarge || preemptions !== undefined,
  )
  const mostMs: number = isShort ? 4_000 : 12_000
  const jobs = large.map(
    ({ name }, index) => ({ do: 'random', world: name, seed: seed + index, mostMs }) as const,
  )
  // Small worlds have schedules by the thousand a second: these are for the count of distinct ones.
  for (const [index, world] of isShort ? [] : COUNTED.entries()) {
    jobs.push({ do: 'random', world, seed: seed + 100 + index, mostMs: 45_000 })
  }
  await runJobs<RandomRuns & Shown>(jobs, showRandom)
}

function showRandom(found: RandomRuns & Shown): void {
  schedules += found.distinct
  classes += found.classes
  steps += found.steps + found.plainSteps
  row([
    found.world,
    count(found.schedules),
    count(found.distinct),
    count(found.classes),
    count(found.steps + found.plainSteps),
    (found.elapsedMs / 1000).toFixed(1),
    count((found.steps + found.plainSteps) / found.elapsedMs),
    found.violation === undefined ? '' : `VIOLATION, seed ${found.seed}`,
  ])
  if (found.violation !== undefined) {
    const where = `world "${found.world}", seed ${found.seed}, schedule ${found.violation.schedule}`
    tell(where, found.violation.what, found.table)
  }
}

async function runMutations(): Promise<void> {
  title('mutations: mistakes made in the shipped code, each of which must be caught')
  let caught = 0
  const jobs = MUTATIONS.map(({ name }) => ({ do: 'mutate', mutation: name, mostMs: 60_000, seed }) as const)
  await runJobs<Caught>(jobs, ({ mutation, by, what }) => {
    if (by === '') faults.push(`mutation "${mutation}" was not caught`)
    else caught++
    console.log(`  ${mutation.padEnd(58)} ${by === '' ? 'NOT CAUGHT' : `${by}: ${what.slice(0, 90)}`}`)
  })
  console.log(`  ${caught} of ${MUTATIONS.length} caught`)
}

async function runModel(): Promise<void> {
  title('model')
  const missing = missingTool()
  if (missing !== undefined) {
    console.log(`  skipped: ${missing}`)
    if (process.env.CI === 'true') faults.push(`the model was not checked: ${missing}`)
    return
  }
  const checks = MODEL_CHECKS.filter((check) => !isShort || check.isQuick)
  let caught = 0
  await runJobs<ModelResult>(
    checks.map(({ name }) => ({ do: 'model', check: name }) as const),
    ({ name, isMutation, isGood, states: found, elapsedMs, said }) => {
      if (isMutation && isGood) caught++
      const how = isMutation ? (isGood ? 'caught' : 'NOT CAUGHT') : isGood ? 'no error' : 'ERROR'
      console.log(
        `  ${name.padEnd(40)} ${how.padEnd(11)} ${count(found)} states, ${(elapsedMs / 1000).toFixed(1)} s`,
      )
      if (isGood) return
      faults.push(`model, ${name}: ${how}`)
      console.log(said)
    },
  )
  console.log(`  ${caught} of ${checks.filter(({ isMutation }) => isMutation).length} mutations caught`)
}

async function fuzz(): Promise<void> {
  title('fuzz: the codec and the lane')
  const share = isShort ? 20 : 1
  const mostMs = isShort ? 60_000 : 240_000
  const half = (which: number) =>
    ({
      do: 'fuzz codec',
      seed: seed + which,
      values: 1_000_000 / share,
      records: 4_500_000 / share,
      mostMs,
    }) as const
  const codec = await runJobs<FuzzResult>([half(0), half(1)])
  const values = codec.reduce((sum, one) => sum + one.values, 0)
  const records = codec.reduce((sum, one) => sum + one.records, 0)
  const valid = codec.reduce((sum, one) => sum + one.valid, 0)
  console.log(
    `  codec: ${count(values)} values, ${count(records)} records changed or of noise, ${count(valid)} of them values`,
  )
  const [lane] = await runJobs<LaneFuzzResult>([
    { do: 'fuzz lane', seed, calls: 2_000_000 / share, mostMs: mostMs / 2 },
  ])
  console.log(
    `  lane: ${count(lane.calls)} calls, ${count(lane.records)} records, ${count(lane.corrupt)} corrupt slots refused`,
  )
  for (const { fault } of [...codec, lane]) if (fault !== undefined) faults.push(`fuzz: ${fault}`)
}

function tell(where: string, what: string, table: string | undefined): void {
  faults.push(`${where}: ${what.split('\n')[0]}`)
  console.log(`\n${where}: ${what}\n\n${table ?? ''}\n`)
}

function title(text: string): void {
  console.log(`\n# ${text}`)
}

function row([first, ...rest]: readonly string[]): void {
  const last = rest.pop() ?? ''
  console.log(`  ${first.padEnd(26)}${rest.map((text) => text.padStart(12)).join('')}  ${last}`.trimEnd())
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
