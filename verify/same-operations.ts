/**
 * Puts and gets on a queue in one thread, once by the shipped files as they are and once by the explorer, and prints the atomic
 * operations that each of them did: the same, in the same order, with the same results.
 */
import { loadWorlds } from './explorer/load-worlds.ts'
import { Machine } from './explorer/machine.ts'
import { NAMES } from './explorer/operations.ts'
import { RESTART } from './explorer/threads.ts'
import type { Findings } from './explorer/word-table.ts'
import type { World } from './explorer/world.ts'

const SHARED = ['load', 'store', 'add', 'compareExchange', 'notify'] as const

const explored = await exploredOperations()
const shipped = await shippedOperations()
console.log(JSON.stringify({ explored, shipped }))

async function exploredOperations(): Promise<string[]> {
  const { worlds } = await loadWorlds()
  const world = worlds.find(({ name }) => name === 'one thread')
  if (world === undefined) throw new Error('there is no world of one thread')
  const machine = runToEnd(world)
  const { threads } = machine
  const operations: string[] = []
  threads.watch = (kind, _, result) => {
    const name = NAMES[kind] === 'cas' ? 'compareExchange' : NAMES[kind]
    if ((SHARED as readonly string[]).includes(name)) operations.push(`${name} ${result}`)
  }
  // From its beginning to there once more, with the results that are known now.
  threads.ownWords(0, machine.nodes[0])
  return operations
}

function runToEnd(world: World): Machine {
  const findings: Findings = new Map()
  for (;;) {
    try {
      const machine = new Machine(world, findings, { merges: false })
      while (machine.isRunnable(0)) machine.take(0)
      return machine
    } catch (error) {
      if (error !== RESTART) throw error
    }
  }
}

async function shippedOperations(): Promise<string[]> {
  const operations: string[] = []
  const all = Atomics as unknown as Record<string, (...parameters: unknown[]) => unknown>
  let isOn = false
  for (const name of SHARED) {
    const real = all[name]
    all[name] = (...parameters) => {
      const result = real(...parameters)
      if (isOn) operations.push(`${name} ${result}`)
      return result
    }
  }
  // Imported only now: atomics.ts takes the functions when it is loaded.
  const { oneThread, makeQueue } = await import('./worlds/one-thread.ts')
  const handle = makeQueue()
  isOn = true
  oneThread(handle)
  return operations
}
