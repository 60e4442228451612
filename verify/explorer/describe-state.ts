/**
 * Everything that can be reached from some values, as text: two texts are equal exactly if the values are equal in shape
 * and content. Private fields are seen too: see shipped-globals.ts. A function counts by its name; what it closes over must be
 * among the roots, or never change.
 */
import { Bytes, Words } from './shared-views.ts'

const constants = new WeakSet<object>()

/** Made before any thread began, and never changed: it need not be looked at again and again. */
export function noteConstant(...objects: readonly object[]): void {
  for (const object of objects) constants.add(object)
}

export function describeState(roots: readonly unknown[]): string {
  const seen = new Map<object, number>()
  const parts: string[] = []
  const add = (value: unknown): void => {
    if (typeof value === 'function') parts.push(`f:${value.name}`)
    else if (typeof value === 'symbol') parts.push(String(value))
    else if (typeof value !== 'object' || value === null)
      parts.push(typeof value === 'string' ? JSON.stringify(value) : String(value))
    else if (value instanceof Words || value instanceof Bytes) parts.push(value.place)
    else addObject(value)
  }
  const addObject = (value: object): void => {
    const number = seen.get(value)
    if (number !== undefined) {
      parts.push(`#${number}`)
      return
    }
    seen.set(value, seen.size)
    if (constants.has(value)) {
      parts.push('constant')
      return
    }
    if (value instanceof SharedArrayBuffer) parts.push('memory')
    else if (Array.isArray(value)) {
      parts.push('[')
      for (const entry of value) add(entry)
      parts.push(']')
    } else if (value instanceof Map) {
      parts.push('map{')
      for (const [key, entry] of value) {
        add(key)
        add(entry)
      }
      parts.push('}')
    } else if (value instanceof Set) {
      parts.push('set{')
      for (const entry of value) add(entry)
      parts.push('}')
    } else {
      parts.push('{')
      for (const key of Object.keys(value)) {
        parts.push(key)
        add((value as Record<string, unknown>)[key])
      }
      parts.push('}')
    }
  }
  for (const root of roots) add(root)
  return parts.join(' ')
}
