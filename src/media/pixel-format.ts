/** How the pixels of a frame lie in its bytes, by ffmpeg's names. */

/**
 * - 'rgb24', 'bgr24': three bytes a pixel. 'rgba', 'bgra': four.
 * - 'gray': one byte a pixel.
 * - 'yuv420p': a plane of brightness, a byte a pixel; then two of colour, a byte for each square of four pixels.
 */
export type PixelFormat = keyof typeof BYTES_OF

const halfOf = (edge: number): number => Math.ceil(edge / 2)

const BYTES_OF = {
  rgb24: (width: number, height: number) => width * height * 3,
  bgr24: (width: number, height: number) => width * height * 3,
  rgba: (width: number, height: number) => width * height * 4,
  bgra: (width: number, height: number) => width * height * 4,
  gray: (width: number, height: number) => width * height,
  yuv420p: (width: number, height: number) => width * height + 2 * halfOf(width) * halfOf(height),
} as const

export const PIXEL_FORMATS = Object.keys(BYTES_OF) as PixelFormat[]

export const isPixelFormat = (value: unknown): value is PixelFormat =>
  typeof value === 'string' && Object.hasOwn(BYTES_OF, value)

/** Bytes of a frame of this size. */
export function frameBytes(format: PixelFormat, width: number, height: number): number {
  return BYTES_OF[format](width, height)
}
