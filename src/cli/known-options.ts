/** Which options a pipeline's module takes, as far as can be told. */
import { PipelineModule, type PipelineOption, type PipelineOptionTable } from '../define/define-pipeline.ts'
import { type DestructuredName, readParameter } from './read-parameter.ts'

const UNDEFINED = new Set(['undefined', 'void 0'])

export interface KnownOptions {
  table: PipelineOptionTable
  /** Whether it takes others too. */
  isOpen: boolean
  /** How a default is written that is no plain value. */
  expressions: Readonly<Record<string, string>>
}

/** @param exported the default export of the module */
export function findKnownOptions(exported: unknown): KnownOptions {
  if (exported instanceof PipelineModule) {
    if (exported.table !== undefined) return { table: exported.table, isOpen: false, expressions: {} }
    return fromFunction(exported.build)
  }
  if (typeof exported === 'function') return fromFunction(exported)
  return { table: {}, isOpen: false, expressions: {} }
}

function fromFunction(build: Function): KnownOptions {
  const parameter = readParameter(Function.prototype.toString.call(build))
  if (parameter === 'none') return { table: {}, isOpen: false, expressions: {} }
  if (parameter === 'anything') return { table: {}, isOpen: true, expressions: {} }
  const table: Record<string, PipelineOption> = {}
  const expressions: Record<string, string> = {}
  for (const entry of parameter.names) {
    table[entry.name] = optionOf(entry)
    if (entry.default !== undefined && table[entry.name].optional && !UNDEFINED.has(entry.default)) {
      expressions[entry.name] = entry.default
    }
  }
  return { table, isOpen: parameter.isOpen, expressions }
}

/** A literal types its option; without a default it is required text; any other default makes it optional text. */
function optionOf({ default: text }: DestructuredName): PipelineOption {
  if (text === undefined) return { type: 'string' }
  // Compilers shorten true, false and undefined.
  if (text === 'true' || text === '!0') return { type: 'boolean', default: true }
  if (text === 'false' || text === '!1') return { type: 'boolean', default: false }
  const number = Number(text.replaceAll('_', ''))
  if (!Number.isNaN(number)) return { type: 'number', default: number }
  const quoted = /^(["'`])([^\\$]*)\1$/.exec(text)
  if (quoted !== null && !quoted[2].includes(quoted[1])) return { type: 'string', default: quoted[2] }
  return { type: 'string', optional: true }
}
