/** All worlds. */
import type { World } from '../explorer/world.ts'
import { BY_HAND } from './by-hand.ts'
import { CHAINS } from './chains.ts'
import { FORKS } from './forks.ts'
import { ONE_THREAD } from './one-thread.ts'

export const worlds: World[] = [ONE_THREAD, ...BY_HAND, ...CHAINS, ...FORKS]
