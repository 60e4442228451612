/** What the model is checked for, and the mistakes that must make it fail. */

export interface ModelCheck {
  name: string
  flags: readonly string[]
  /** It must fail. */
  isMutation?: boolean
  /** Part of the short run too. */
  isQuick?: boolean
}

const ONE = ['-DWORKERS=1', '-DITEMS=2']
const TWO = ['-DWORKERS=2', '-DITEMS=2']
const MERGE = [...TWO, '-DORDERED']
/** Far fewer states: nothing happens at the source any more until the items are through. */
const AWAITED = [...MERGE, '-DAWAIT']

function bug(name: string, ...flags: string[]): ModelCheck {
  return {
    name,
    flags: [...flags, `-DBUG_${name}`],
    isMutation: true,
    isQuick: true,
  }
}

export const MODEL_CHECKS: readonly ModelCheck[] = [
  { name: '1 worker, 2 items', flags: ONE, isQuick: true },
  { name: '1 worker, 3 items, lanes of 2', flags: ['-DWORKERS=1', '-DITEMS=3', '-DCAP=2'] },
  { name: '1 worker, 1 item, abort', flags: ['-DWORKERS=1', '-DITEMS=1', '-DSTOP'], isQuick: true },
  { name: '1 worker, 2 items, abort', flags: [...ONE, '-DSTOP'] },
  { name: '1 worker, 2 items, a death', flags: [...ONE, '-DDEATHS=1'], isQuick: true },
  { name: '1 worker, 1 item, a death, abort', flags: ['-DWORKERS=1', '-DITEMS=1', '-DDEATHS=1', '-DSTOP'] },
  { name: '2 workers, 2 items', flags: TWO },
  { name: '2 workers, 1 item, abort', flags: ['-DWORKERS=2', '-DITEMS=1', '-DSTOP'] },
  { name: '2 workers, 2 items, merged', flags: MERGE },
  { name: '2 workers, 2 items, merged, awaited', flags: AWAITED, isQuick: true },
  bug('NO_SECOND_LOOK', ...ONE),
  bug('RING_BEFORE_PUBLISH', ...ONE),
  bug('NO_RING_FOR_ROOM', ...ONE),
  bug('HEAD_BEFORE_OUTPUT', ...ONE, '-DDEATHS=1'),
  bug('NO_TAKE_UP', ...ONE, '-DDEATHS=1'),
  bug('END_TWICE', ...ONE, '-DDEATHS=1'),
  bug('NO_RING_ON_DEATH', ...ONE, '-DDEATHS=1'),
  bug('RING_BELIEVES_BELL', ...ONE, '-DDEATHS=1'),
  bug('SENTINEL_BY_STAGE', ...TWO),
  bug('NUMBER_AFTER_RECORD', ...AWAITED),
  bug('NO_LAST_LOOK', ...AWAITED),
  bug('NO_RELEASE_BELL', ...AWAITED),
]
