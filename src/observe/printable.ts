/** Text from outside (item data, names, messages) as it may be printed: it cannot steer a terminal. */

// Not util.stripVTControlCharacters: from an escape to a far-off BEL it takes the text between them too.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal
const SEQUENCE = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: the same, without tab and newline
const CONTROL_BUT_LAYOUT = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g

/** One line, without control characters. */
export function printableLine(text: string): string {
  return text.replace(SEQUENCE, '').replace(CONTROL, ' ')
}

/** Keeps newlines and tabs. */
export function printableText(text: string): string {
  return text.replace(SEQUENCE, '').replaceAll('\r\n', '\n').replace(CONTROL_BUT_LAYOUT, ' ')
}
