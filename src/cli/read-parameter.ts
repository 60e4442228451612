/**
 * The first parameter of a function, from its source text: `({ file, count = 3, ...rest }) =>`.
 *
 * Reads as much of JavaScript as stands between names: brackets, strings, template literals, comments. A
 * regular expression with a bracket or quote in a default value is beyond it.
 */

export interface DestructuredName {
  name: string
  /** The default as it is written. */
  default?: string
}

export interface Destructured {
  names: DestructuredName[]
  /** It has a rest element, or a computed name. */
  isOpen: boolean
}

const CLOSES: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }
const KEY = /^(?:([\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*)|(["'])([^\\"']*)\2)\s*/u

/** `'anything'`: it cannot be told which names the parameter has. */
export function readParameter(source: string): Destructured | 'none' | 'anything' {
  const text = withoutComments(source)
  if (/^(async\s+)?[\p{ID_Start}$_][\p{ID_Continue}$]*\s*=>/u.test(text)) return 'anything'
  const open = text.indexOf('(')
  if (open < 0 || /^class\b/.test(text) || /\{\s*\[native code\]\s*\}\s*$/.test(text)) return 'anything'
  const [first = ''] = splitAtCommas(text.slice(open + 1, endOfBracket(text, open) - 1))
  if (first === '') return 'none'
  if (!first.startsWith('{')) return 'anything'
  return readPattern(first.slice(1, endOfBracket(first, 0) - 1))
}

function readPattern(inside: string): Destructured {
  const found: Destructured = { names: [], isOpen: false }
  for (const entry of splitAtCommas(inside)) {
    const key = KEY.exec(entry)
    if (key === null) found.isOpen = true
    else {
      const value = defaultOf(entry.slice(key[0].length))
      const name = key[1] ?? key[3]
      found.names.push(value === undefined ? { name } : { name, default: value })
    }
  }
  return found
}

/** `: local = 3` -> `3`. */
function defaultOf(afterKey: string): string | undefined {
  for (let at = 0; at < afterKey.length; at = endOfToken(afterKey, at)) {
    if (afterKey[at] === '=') return afterKey.slice(at + 1).trim()
  }
  return undefined
}

/** The parts between commas that stand in no bracket and no string, trimmed; empty ones are left out. */
function splitAtCommas(text: string): string[] {
  const parts: string[] = []
  let start = 0
  for (let at = 0; at < text.length; at = endOfToken(text, at)) {
    if (text[at] !== ',') continue
    parts.push(text.slice(start, at))
    start = at + 1
  }
  return [...parts, text.slice(start)].map((part) => part.trim()).filter((part) => part !== '')
}

/** Where the character, string or bracket ends that begins there. */
function endOfToken(text: string, at: number): number {
  const character = text[at]
  if (character === '"' || character === "'" || character === '`') return endOfString(text, at)
  return character in CLOSES ? endOfBracket(text, at) : at + 1
}

function endOfBracket(text: string, open: number): number {
  const closing = CLOSES[text[open]]
  let at = open + 1
  while (at < text.length && text[at] !== closing) at = endOfToken(text, at)
  return at + 1
}

function endOfString(text: string, open: number): number {
  const quote = text[open]
  let at = open + 1
  while (at < text.length && text[at] !== quote) {
    if (text[at] === '\\') at += 2
    else if (quote === '`' && text.startsWith('${', at)) at = endOfBracket(text, at + 1)
    else at++
  }
  return at + 1
}

function withoutComments(source: string): string {
  let text = ''
  for (let at = 0; at < source.length; ) {
    const isLine = source.startsWith('//', at)
    if (isLine || source.startsWith('/*', at)) {
      const end = source.indexOf(isLine ? '\n' : '*/', at + 2)
      at = end < 0 ? source.length : end + (isLine ? 0 : 2)
      text += ' '
      continue
    }
    const isString = source[at] === '"' || source[at] === "'" || source[at] === '`'
    const end = isString ? endOfString(source, at) : at + 1
    text += source.slice(at, end)
    at = end
  }
  return text.trim()
}
