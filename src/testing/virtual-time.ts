/**
 * Virtual time: timers and clocks of this thread stand still and are moved on by whoever holds this.
 *
 * Everything in the thread sees it, user code and Millrace alike: timers, `node:timers/promises`, `Date`,
 * `performance.now()`. What is not faked is the turn of the event loop itself (`setImmediate`, microtasks, input and
 * output): that is how the thread gets on. The clocks are those of @sinonjs/fake-timers, an optional peer.
 */
import { syncBuiltinESMExports } from 'node:module'
import { MillraceError } from '../errors.ts'

/** What is used of @sinonjs/fake-timers. */
interface Clock {
  next(): number
  setTimeout(callback: () => void, ms: number): unknown
  uninstall(): void
}

const FAKED = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance', 'hrtime']
/** Turns of the event loop without news after which nothing more happens by itself. */
const QUIET_TURNS = 4

let isTaken = false

export class VirtualTime {
  readonly #clock: Clock
  readonly #turn: () => Promise<void>
  #isOver = false

  /** @throws MILLRACE_STATE if there is one in this thread, MILLRACE_MISSING_PEER */
  static async install(startMs: number): Promise<VirtualTime> {
    if (isTaken) {
      const message = 'a simulation is open in this thread, and time is one for all: end it first'
      throw new MillraceError('MILLRACE_STATE', message)
    }
    isTaken = true
    try {
      const { install } = await loadFakeTimers()
      return new VirtualTime(install, startMs)
    } catch (error) {
      isTaken = false
      throw error
    }
  }

  private constructor(install: (config: { now: number; toFake: string[] }) => Clock, startMs: number) {
    this.#turn = () => new Promise((resolve) => setImmediate(resolve))
    this.#clock = install({ now: startMs, toFake: FAKED })
    // Named imports of node:timers and the like see it too.
    syncBuiltinESMExports()
  }

  /** Since it was installed, in milliseconds. */
  get elapsedMs(): number {
    return performance.now()
  }

  /** Gives the event loop its turns until nothing changes any more and nothing is under way, at this moment of time. */
  async settle(fingerprint: () => string | number): Promise<void> {
    let quiet = 0
    let last = fingerprint()
    while (quiet < QUIET_TURNS) {
      await this.#turn()
      const now = fingerprint()
      quiet = now === last && !isBusy() ? quiet + 1 : 0
      last = now
    }
  }

  /** Moves on to the next timer. */
  next(): void {
    this.#clock.next()
  }

  /** Moves on by so much, stopping at each timer on the way. */
  async advance(ms: number, settle: () => Promise<void>): Promise<void> {
    let isThere = false
    this.#clock.setTimeout(() => {
      isThere = true
    }, ms)
    while (!isThere) {
      this.#clock.next()
      await settle()
    }
  }

  uninstall(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#clock.uninstall()
    syncBuiltinESMExports()
    isTaken = false
  }
}

/** Requests that something outside will answer, and immediates: the thread gets on by itself. */
function isBusy(): boolean {
  return process.getActiveResourcesInfo().some((kind) => /^Immediate$|Req|Request$|^Zlib/.test(kind))
}

interface FakeTimers {
  install(config: { now: number; toFake: string[] }): Clock
}

async function loadFakeTimers(): Promise<FakeTimers> {
  try {
    const { default: fakeTimers } = await import('@sinonjs/fake-timers')
    return fakeTimers as unknown as FakeTimers
  } catch (cause) {
    const message = 'millrace/testing needs @sinonjs/fake-timers: npm install -D @sinonjs/fake-timers'
    throw new MillraceError('MILLRACE_MISSING_PEER', message, { cause })
  }
}
