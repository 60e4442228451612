/** Listens to channels of runs. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ChannelMessages } from '../run/run-channels.ts'

export type Listeners = {
  readonly [Name in keyof ChannelMessages]?: (message: ChannelMessages[Name]) => void
}

/** @returns ends it */
export function listen(listeners: Listeners): () => void {
  const all = Object.entries(listeners) as [string, (message: unknown) => void][]
  for (const [name, listener] of all) subscribe(name, listener)
  return () => {
    for (const [name, listener] of all) unsubscribe(name, listener)
  }
}
