/** Errors as text for whoever runs a pipeline: what, where, the cause's own stack, what to do about it. */
import { ADVICE, errorToWire, type MillraceErrorCode, type WireError } from '../errors.ts'
import { announcedBy, type Failure } from '../observe/failure.ts'
import { printableText } from '../observe/printable.ts'
import { framesOf } from './stack-frames.ts'

const MOST_FAILURES = 5
const MOST_CAUSES = 8

/** Why nothing was started. */
export function showError(thrown: unknown, isVerbose: boolean): string {
  const error = errorToWire(thrown)
  const code = error.fields?.code
  const isOurs = typeof code === 'string' && Object.hasOwn(ADVICE, code)
  const lines = isOurs ? [error.message] : [`${error.name}: ${error.message}`]
  if (!isOurs || isVerbose) lines.push(...framesOf(error.stack, isVerbose))
  lines.push(...causes(error, isVerbose, isOurs))
  if (isOurs) lines.push(...codeAndAdvice(code as MillraceErrorCode))
  return printableText(`millrace: ${lines.join('\n')}\n`)
}

/** What went wrong in a run. */
export function showFailures(failures: readonly Failure[], isVerbose: boolean): string {
  const shown = failures.slice(0, isVerbose ? failures.length : MOST_FAILURES)
  const texts = shown.map((failure) => showFailure(failure, isVerbose))
  const more = failures.length - shown.length
  if (more > 0) texts.push(`millrace: ${more} more failure${more === 1 ? '' : 's'} (--verbose, --json)\n`)
  return printableText(texts.join(''))
}

function showFailure({ code, message, error }: Failure, isVerbose: boolean): string {
  const lines = [`millrace: ${error === undefined ? message : without(message, announcedBy(error.message))}`]
  if (error !== undefined) {
    const [, ...moreOfMessage] = error.message.split('\n')
    lines.push(...moreOfMessage, ...framesOf(error.stack, isVerbose))
    lines.push(...causes(error, isVerbose, false))
  }
  lines.push(...codeAndAdvice(code))
  return `${lines.join('\n')}\n`
}

/** Here the lines of the error's message stand below, each as it is. */
function without(message: string, end: string): string {
  return message.endsWith(end) ? message.slice(0, message.length - end.length) : message
}

/** @param isTold whether the message of the first cause stands in the error's own message already */
function causes(error: WireError, isVerbose: boolean, isTold: boolean): string[] {
  const lines: string[] = []
  let { cause } = error
  for (let depth = 0; cause !== undefined && depth < MOST_CAUSES; depth++) {
    if (!('message' in cause)) return [...lines, `caused by: ${textOf(cause.value)}`]
    const isRepeated = depth === 0 && isTold && error.message.includes(cause.message)
    if (!isRepeated) lines.push(`caused by: ${cause.name}: ${cause.message}`)
    lines.push(...framesOf(cause.stack, isVerbose))
    cause = cause.cause
  }
  return lines
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
}

function codeAndAdvice(code: MillraceErrorCode): string[] {
  return [`code: ${code}`, `advice: ${ADVICE[code]}`]
}
