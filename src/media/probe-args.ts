/**
 * What ffprobe is told of the arguments before an input. ffmpeg has options of its own there, which ffprobe does not know
 * and would fail for; some of them ffmpeg hands on to the format, under another name.
 */

/** Of ffmpeg alone, with a value after them. */
const WITH_VALUE = new Set(
  [
    'ss sseof t to readrate readrate_initial_burst readrate_catchup stream_loop itsoffset itsscale isync',
    'seek_timestamp thread_queue_size threads discard bits_per_raw_sample top reinit_filter guess_layout_max',
    'hwaccel hwaccel_device hwaccel_output_format init_hw_device filter_hw_device vaapi_device qsv_device',
    'c codec vcodec acodec scodec dcodec tag vtag atag stag',
    'r s pix_fmt fps_mode vsync async ac ar channel_layout sample_fmt canvas_size',
    'filter_threads filter_complex_threads copytb dts_delta_threshold dts_error_threshold max_error_rate',
    'abort_on stats_period progress timelimit',
  ].flatMap((names) => names.split(' ')),
)

/** Of ffmpeg alone, without a value; each may have `no` before it. */
const WITHOUT_VALUE = new Set(
  [
    're accurate_seek autorotate copyts start_at_zero ignore_unknown copy_unknown recast_media fix_sub_duration',
    'stats stdin y n xerror benchmark benchmark_all dump hex debug_ts vn an sn dn',
  ].flatMap((names) => names.split(' ')),
)

const SIZED = /^(?:rawvideo|image2|image2pipe|v4l2|video4linux2|x11grab|gdigrab|dshow|avfoundation)$/
const WITH_PIXELS = /^(?:rawvideo|image2|image2pipe|v4l2|video4linux2|dshow|avfoundation)$/
const TIMED = new RegExp(`${SIZED.source}|^(?:fbdev|kmsgrab|h264|hevc|mjpeg)$`)
const RAW_SOUND = /^(?:[fsu](?:8|16|24|32|64)(?:le|be)?|alaw|mulaw)$/
const SOUND_DEVICE = /^(?:alsa|pulse)$/

/** What a format calls what ffmpeg has an option for. */
const OF_FORMATS: readonly { name: string; formats: RegExp; toArgs: (value: string) => string[] }[] = [
  { name: 's', formats: SIZED, toArgs: (size) => ['-video_size', size] },
  { name: 'pix_fmt', formats: WITH_PIXELS, toArgs: (format) => ['-pixel_format', format] },
  { name: 'r', formats: TIMED, toArgs: (rate) => ['-framerate', rate] },
  { name: 'ar', formats: RAW_SOUND, toArgs: (rate) => ['-sample_rate', rate] },
  { name: 'ar', formats: SOUND_DEVICE, toArgs: (rate) => ['-sample_rate', rate] },
  // Newer ones have no number of channels any more.
  { name: 'ac', formats: RAW_SOUND, toArgs: (channels) => ['-ch_layout', `${channels}c`] },
  { name: 'ac', formats: SOUND_DEVICE, toArgs: (channels) => ['-channels', channels] },
]

export function probeArgs(inputArgs: readonly string[]): string[] {
  const format = inputArgs[inputArgs.lastIndexOf('-f') + 1]
  const args: string[] = []
  for (let at = 0; at < inputArgs.length; at++) {
    const name = nameOf(inputArgs[at])
    if (WITHOUT_VALUE.has(name) || WITHOUT_VALUE.has(name.replace(/^no/, ''))) continue
    if (!WITH_VALUE.has(name)) {
      args.push(inputArgs[at])
      continue
    }
    const value = inputArgs[++at]
    const found = OF_FORMATS.find((each) => each.name === name && each.formats.test(format))
    if (found !== undefined && value !== undefined) args.push(...found.toArgs(value))
  }
  return args
}

/** `-c:v` is `c`, for one kind of streams; of what is no option there is none. */
export function nameOf(argument: string): string {
  return argument.startsWith('-') ? argument.slice(1).split(':')[0] : ''
}
