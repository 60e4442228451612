/**
 * Module hooks of a worker: they play back what the main thread's hooks recorded.
 *
 * What was not recorded, such as a dynamic import in a stage's `open`, is for tsx, which is loaded then. These hooks
 * see the imports of their own thread too, so what tsx itself imports must not wait for tsx.
 */
import { isBuiltin, type LoadHook, type ResolveFnOutput, type ResolveHook } from 'node:module'
import { resolve as resolveFormat } from './typescript-format.ts'
import { isTypescript, keyOf, type LoadedModule, type PlayerData } from './typescript-records.ts'

interface Hooks {
  initialize: (data: object) => unknown
  resolve: ResolveHook
  load: LoadHook
}

let tsxUrl: string
let loading: Promise<Hooks> | undefined
let isLoaded = false
const resolved = new Map<string, ResolveFnOutput>()
const loaded = new Map<string, LoadedModule>()

export function initialize({ records, tsx }: PlayerData): void {
  tsxUrl = tsx
  for (const { key, found } of records.resolved) resolved.set(key, { ...found, shortCircuit: true })
  for (const { url, made } of records.loaded) loaded.set(url, made)
}

export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  if (isBuiltin(specifier)) return nextResolve(specifier, context)
  const recorded = resolved.get(keyOf(specifier, context))
  if (recorded !== undefined) return recorded
  if (!isLoaded && !isTypescript(context.parentURL)) {
    const found = await Promise.resolve(nextResolve(specifier, context)).catch(() => undefined)
    if (found !== undefined && !isTypescript(found.url)) return found
  }
  const { resolve } = await loadTsx()
  return resolve(specifier, context, (specifier, inner) =>
    resolveFormat(specifier, { ...context, ...inner }, nextResolve),
  )
}

export const load: LoadHook = async (url, context, nextLoad) => {
  const recorded = loaded.get(url)
  if (recorded !== undefined) return recorded
  if (!isLoaded && !isTypescript(url)) return nextLoad(url, context)
  const { load } = await loadTsx()
  return load(url, context, nextLoad)
}

function loadTsx(): Promise<Hooks> {
  loading ??= import(tsxUrl).then(async (hooks: Hooks) => {
    await hooks.initialize({})
    isLoaded = true
    return hooks
  })
  return loading
}
