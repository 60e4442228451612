/** Loudness and spectrum of a window of samples. */

/** Decibels below full scale; silence is -100. */
export function loudnessOf(samples: Float32Array): number {
  let power = 0
  for (const sample of samples) power += sample * sample
  return Math.max(-100, 10 * Math.log10(power / Math.max(1, samples.length)))
}

/**
 * Energy per frequency, from 0 to half the rate: |FFT|^2 of the samples under a Hann window, radix 2 (Cooley, Tukey 1965).
 * @param samples a power of two of them
 */
export function spectrumOf(samples: Float32Array): Float64Array {
  const size = samples.length
  const [re, im] = [new Float64Array(size), new Float64Array(size)]
  const bits = Math.log2(size)
  for (let at = 0; at < size; at++) {
    let reversed = 0
    for (let bit = 0; bit < bits; bit++) reversed |= ((at >> bit) & 1) << (bits - 1 - bit)
    re[reversed] = samples[at] * (0.5 - 0.5 * Math.cos((2 * Math.PI * at) / size))
  }
  for (let half = 1; half < size; half *= 2) {
    for (let at = 0; at < size; at++) {
      if ((at & half) !== 0) continue
      const angle = (-Math.PI * (at % half)) / half
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
      const other = at + half
      const [x, y] = [re[other] * cos - im[other] * sin, re[other] * sin + im[other] * cos]
      ;[re[other], im[other]] = [re[at] - x, im[at] - y]
      re[at] += x
      im[at] += y
    }
  }
  return Float64Array.from({ length: size / 2 }, (_, bin) => re[bin] ** 2 + im[bin] ** 2)
}

const VOICE_HZ = [150, 3400]

/**
 * How much a window is like speech, from 0 to 1: the share of its energy that lies where voices are, times how far its
 * spectrum is from flat (1 less the ratio of geometric and arithmetic mean). A hum lies elsewhere, noise is flat.
 */
export function speechLikeness(spectrum: Float64Array, rate: number): number {
  const hertz = rate / 2 / spectrum.length
  const [from, to] = VOICE_HZ.map((limit) => Math.round(limit / hertz))
  const sumOf = (bins: Float64Array): number => bins.reduce((sum, energy) => sum + energy, 0)
  const all = sumOf(spectrum)
  const voice = spectrum.subarray(from, to)
  if (all < 1e-9) return 0
  const mean = sumOf(voice) / voice.length
  const geometric = Math.exp(voice.reduce((sum, energy) => sum + Math.log(energy + 1e-12), 0) / voice.length)
  return (sumOf(voice) / all) * (1 - geometric / (mean + 1e-12))
}
