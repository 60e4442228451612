/** Tells why nothing was run: on stderr, and with `--json` as the last line of stdout. */
import { errorToWire } from '../errors.ts'
import { printError, printJson } from './print.ts'
import { showError } from './show-error.ts'

export interface TellOptions {
  json: boolean
  verbose: boolean
}

export function tellError(thrown: unknown, { json, verbose }: TellOptions): void {
  printError(showError(thrown, verbose))
  if (!json) return
  const { name, message, fields } = errorToWire(thrown)
  printJson({ schema: 'millrace.error/1', code: fields?.code ?? name, message })
}
