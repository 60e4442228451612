/** Programs that not every machine has. */
import { spawnSync } from 'node:child_process'

/** Why a test that needs these programs is left out; false if they are there. */
export function lacks(...programs: string[]): string | false {
  const missing = programs.filter((program) => spawnSync(program, ['-version']).error !== undefined)
  return missing.length > 0 && `${missing.join(' and ')} not installed`
}
