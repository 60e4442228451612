/** The names of the worlds, for those who run them elsewhere. */
import { loadWorlds } from '../explorer/load-worlds.ts'
import type { World } from '../explorer/world.ts'

export async function listWorlds(): Promise<World[]> {
  const { worlds } = await loadWorlds()
  return worlds
}
