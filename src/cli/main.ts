#!/usr/bin/env node
/** The command `millrace`: which command it is, and how the process ends. */
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { type CommandLine, type CommandName, OWN_OPTIONS, readCommandLine } from './command-line.ts'
import { endProcess } from './end-process.ts'
import { UNSETTLED, WRONG_USAGE } from './exit-code.ts'
import { graphCommand } from './graph-command.ts'
import { printError, printOut } from './print.ts'
import { type RunEnd, runCommand } from './run-command.ts'
import { type TellOptions, tellError } from './tell-error.ts'
import { commandHelp, USAGE } from './usage.ts'

process.exitCode = UNSETTLED
// Not awaited, lest Node says beside our own words that a top-level await is never settled.
main(process.argv.slice(2)).then(
  () => {
    if (process.exitCode === UNSETTLED) process.exitCode = undefined
  },
  (error) => {
    // Uncaught, however unhandled rejections are taken.
    setImmediate(() => {
      throw error
    })
  },
)

async function main([name, ...args]: string[]): Promise<void> {
  if (name === '--help' || name === '-h' || name === 'help') printOut(USAGE)
  else if (name === '--version' || name === '-v') printOut(`${version()}\n`)
  else if (name !== undefined && Object.hasOwn(OWN_OPTIONS, name)) await runNamed(name as CommandName, args)
  else {
    printError(name === undefined ? USAGE : `millrace: unknown command "${name}"\n\n${USAGE}`)
    process.exitCode = WRONG_USAGE
  }
}

async function runNamed(command: CommandName, args: string[]): Promise<void> {
  let line: CommandLine | undefined
  try {
    line = readCommandLine(command, args)
    if (line.help && (line.file === undefined || command === 'stress')) printOut(commandHelp(command))
    else if (command === 'run') await endProcess(await runCommand(line))
    else await endProcess(await endOf(command, line))
  } catch (error) {
    tellError(error, line ?? guessLine(command, args))
    await endProcess({ code: WRONG_USAGE, stuck: [], signal: undefined })
  }
}

async function endOf(command: CommandName, line: CommandLine): Promise<RunEnd> {
  if (command === 'graph') return { code: await graphCommand(line), stuck: [], signal: undefined }
  // Loaded only then: nobody who runs a pipeline needs it.
  const { stressCommand } = await import('./stress/stress-command.ts')
  return stressCommand(line)
}

/** What can be told of arguments that are wrong. */
function guessLine(command: CommandName, args: string[]): TellOptions {
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
  return { json: command === 'run' && own.includes('--json'), verbose: own.includes('--verbose') }
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
