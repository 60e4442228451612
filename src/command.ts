/** Programs as sources, stages and sinks: `millrace/command`. */
export { type Command, command } from './command/command.ts'
export type { CommandOptions, Mapping } from './command/command-options.ts'
export type { FrameOf, Framing } from './command/framing.ts'
