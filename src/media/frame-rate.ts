/** How many frames a second a video is to have, from the two rates that ffprobe tells of it. */

/** Of those that ffprobe cannot know, as in files of browsers: what it tells then are the steps in which times are counted. */
const UNKNOWN = '60/1'
/** Whoever counts in steps that are as long as this does so because a frame is shown in each. */
const LONGEST_STEP = 1 / 240
const INTERLACED = /^[tb][tb]$/
/** Of irregular times ffprobe may find one only that is far above what anyone wants. */
const MOST_IRREGULAR = 120

export interface ProbedRates {
  /** Frames by seconds. */
  avg_frame_rate?: string
  /** The least rate that has each frame at its time; of interlaced video it may be that of the fields. */
  r_frame_rate?: string
  nb_frames?: string
  /** Which of the two fields comes first, where frames have fields: 'tt', 'bb', 'tb', 'bt'. */
  field_order?: string
  /** The steps in which times are counted, in seconds. */
  time_base?: string
}

/**
 * The one at which each frame can be shown when it is to be, as a fraction; '0/1' if nothing is known. The average alone
 * would leave frames out of a video whose frames come irregularly.
 */
export function frameRate(rates: ProbedRates): string {
  const {
    avg_frame_rate = '0/0',
    r_frame_rate = '0/0',
    nb_frames,
    field_order = '',
    time_base = '0/0',
  } = rates
  const average = toNumber(avg_frame_rate)
  const least = toNumber(r_frame_rate)
  const step = toNumber(time_base)
  if (average === 0 && least === 0) return '0/1'
  // Where the file says how many frames it has, the average is none of ffprobe's guesses.
  if (nb_frames === undefined && step < LONGEST_STEP && isNear((average || least) * step, 1)) return UNKNOWN
  if (average === 0) return r_frame_rate
  if (isNear(least, average)) return r_frame_rate
  if (INTERLACED.test(field_order) && isNear(least, 2 * average)) return half(r_frame_rate)
  return least > average && least <= MOST_IRREGULAR ? r_frame_rate : avg_frame_rate
}

/** Of a fraction; 0 if it is none. */
export function toNumber(rate: string): number {
  const [over, under = 1] = rate.split('/').map(Number)
  const number = over / under
  return Number.isFinite(number) && number > 0 ? number : 0
}

function isNear(rate: number, other: number): boolean {
  return Math.abs(rate / other - 1) < 0.02
}

function half(rate: string): string {
  const [over, under = 1] = rate.split('/').map(Number)
  return over % 2 === 0 ? `${over / 2}/${under}` : `${over}/${2 * under}`
}
