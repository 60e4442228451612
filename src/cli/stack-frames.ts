/** The frames of a stack that are the user's. */
import { fileURLToPath } from 'node:url'

const BUILT = new URL('..', import.meta.url)
/** Where the frames of our own are said to be; with source maps it is the TypeScript that the package brings along. */
const OWN = [BUILT, new URL('../src/', BUILT)].flatMap((folder) => [folder.href, fileURLToPath(folder)])
const FRAME = /^\s+at /
const NATIVE = /\(<anonymous>\)$/
const TYPESCRIPT_LOADER = /[\\/]node_modules[\\/](?:tsx|esbuild)[\\/]/

/**
 * The lines below the message, and those above it that show the place of a syntax error.
 * @param isVerbose all frames, also those of Millrace and of Node
 */
export function framesOf(stack: string | undefined, isVerbose: boolean): string[] {
  if (stack === undefined) return []
  const lines = stack.split('\n')
  const first = lines.findIndex((line) => FRAME.test(line))
  const frames = first < 0 ? [] : lines.slice(first).filter((line) => FRAME.test(line))
  const shown = isVerbose ? frames : frames.filter((line) => !isInternal(line))
  // A native function between two of ours says nothing.
  while (!isVerbose && shown.length > 0 && NATIVE.test(shown[shown.length - 1])) shown.pop()
  return [...placeOf(lines), ...shown]
}

/** `file:///words.js:3`, the line and its marks: Node puts them before the message of a syntax error. */
function placeOf(lines: readonly string[]): string[] {
  const marks = lines.findIndex((line) => /^\s*\^+\s*$/.test(line))
  return marks > 0 && !FRAME.test(lines[0]) && /:\d+$/.test(lines[0]) ? lines.slice(0, marks + 1) : []
}

function isInternal(frame: string): boolean {
  return (
    /[(\s]node:/.test(frame) || OWN.some((folder) => frame.includes(folder)) || TYPESCRIPT_LOADER.test(frame)
  )
}
