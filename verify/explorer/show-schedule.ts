/** A schedule as a table that can be read: a line for each step, a column for each thread. */
import { CHOICES, DEATH, Machine, type MachineOptions, STEP, TIMEOUT } from './machine.ts'
import { NAMES, NOTIFY, UNTIL, WAIT, WAIT_ASYNC } from './operations.ts'
import { RESTART } from './threads.ts'
import type { Findings } from './word-table.ts'
import type { World } from './world.ts'

export interface Shown {
  /** Steps in all. */
  steps: number
  text: string
}

/** Plays the choices again and tells what happened. Steps that only look and see what was there before are left out. */
export function showSchedule(
  world: World,
  choices: readonly number[],
  findings: Findings,
  options: MachineOptions,
  joined: string,
): Shown {
  for (;;) {
    try {
      return play(new Machine(world, findings, options), choices, joined.split('\n'))
    } catch (error) {
      if (error !== RESTART) throw error
    }
  }
}

function play(machine: Machine, choices: readonly number[], lines: readonly string[]): Shown {
  const rows: { step: number; thread: number; text: string; where: string }[] = []
  const { threads } = machine
  for (const [index, choice] of choices.entries()) {
    const thread = Math.floor(choice / CHOICES)
    const what = choice % CHOICES
    const node = machine.nodes[thread]
    const noted = node.log.length
    const name = node.word >= 0 ? threads.table.words[node.word].name : ''
    const before = node.word >= 0 ? machine.memory[node.word] : 0
    const asleep = sleepers(machine)
    const where = what === STEP ? placeOf(machine, thread, lines) : ''
    machine.take(choice)
    const after = node.word >= 0 ? machine.memory[node.word] : 0
    const woken = asleep.filter((other) => !machine.isAsleep(other)).map((other) => threads.specs[other].name)
    let text: string
    if (what === DEATH) text = `KILLED${asleep.includes(thread) ? ' in its sleep' : ''}`
    else if (what === TIMEOUT) text = 'wakes: its time is over'
    else if (what !== STEP) text = 'its asynchronous wait is over'
    else if (node.kind === NOTIFY)
      text = woken.length > 0 ? `notify: wakes ${woken.join(', ')}` : 'notify: nobody there'
    else if (node.kind === WAIT) {
      text = machine.isAsleep(thread)
        ? `sleeps on ${name} (${before})`
        : `does not sleep: ${name} is ${before}`
    } else if (node.kind === WAIT_ASYNC) text = `waits on ${name} (${before})`
    else if (node.kind === UNTIL) text = `goes on: ${name} is ${before}`
    else if (before === after) text = `${NAMES[node.kind]} ${name} = ${before}`
    else text = `${NAMES[node.kind]} ${name}: ${before} -> ${after}`
    rows.push({ step: index + 1, thread, text, where })
    const { log } = machine.nodes[thread]
    for (const note of log.slice(noted))
      rows.push({ step: index + 1, thread, text: `notes "${note}"`, where: '' })
  }
  const width = Math.max(...threads.specs.map(({ name }) => name.length))
  const table = rows.map(({ step, thread, text, where }) => {
    const { name } = threads.specs[thread]
    return `${String(step).padStart(5)}  ${name.padEnd(width)}  ${'  '.repeat(thread)}${text.padEnd(48)}  ${where}`.trimEnd()
  })
  return { steps: choices.length, text: table.join('\n') }
}

function sleepers(machine: Machine): number[] {
  return Array.from({ length: machine.count }, (_, thread) => thread).filter((thread) =>
    machine.isAsleep(thread),
  )
}

/** File and function of the operation that the thread is about to do. */
function placeOf(machine: Machine, thread: number, lines: readonly string[]): string {
  const { threads } = machine
  const node = machine.nodes[thread]
  threads.wantsStack = true
  threads.stack = undefined
  threads.ownWords(thread, node)
  threads.wantsStack = false
  const frame = (threads.stack as string | undefined)
    ?.split('\n')
    .find((line) => line.includes('shipped.cjs'))
  const found = frame?.match(/at (?:new )?(\S+).*shipped\.cjs:(\d+)/)
  if (found == null) return ''
  const name = found[1].replace(/^_+/, '').replace(/_fn$/, '')
  for (let at = Number(found[2]) - 1; at >= 0; at--) {
    const file = lines[at]?.match(/^\/\/ (\S+\.ts)$/)
    if (file !== null && file !== undefined) return `${file[1].replace(/^.*\/(?=[^/]+\/[^/]+$)/, '')} ${name}`
  }
  return name
}
