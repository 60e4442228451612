/** The mark of what reads or writes one file: so that a pipeline which would write what it reads is found out. */
export const FILE = Symbol.for('millrace.file/1')

/** @param file its path; whatever else may stand in its place is no file that is there */
export function withFile<B extends object>(body: B, file: string): B {
  return Object.assign(body, { [FILE]: file })
}

export function fileOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const file = (body as { [FILE]?: unknown })[FILE]
  return typeof file === 'string' ? file : undefined
}
