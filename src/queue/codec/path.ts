import { show } from '../../errors.ts'

/** How a step of a path reads. */
export const PROPERTY = 0
export const INDEX = 1
export const MAP_VALUE = 2
export const MAP_KEY = 3
export const SET_MEMBER = 4

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]{0,60}$/u
const MAX_STEPS = 12

/** ` at .user.tags[3]`, or nothing for the item itself; of a long path, the two ends. */
export function pathText(keys: unknown[], kinds: number[], depth: number): string {
  const steps: string[] = []
  for (let i = 0; i < depth; i++) {
    if (depth > MAX_STEPS && i === MAX_STEPS / 2) {
      steps.push('...')
      i = depth - MAX_STEPS / 2
    }
    steps.push(stepText(keys[i], kinds[i]))
  }
  return depth === 0 ? '' : ` at ${steps.join('')}`
}

function stepText(key: unknown, kind: number): string {
  if (kind === MAP_VALUE) return `.get(${show(key)})`
  if (kind === MAP_KEY) return `.keys()[${show(key)}]`
  if (kind === SET_MEMBER) return `.values()[${show(key)}]`
  if (typeof key === 'string' && IDENTIFIER.test(key)) return `.${key}`
  return `[${show(key)}]`
}
