/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

let testsEnded = 0

/** Nobody waits for what a test that is over wanted to see. */
export function endUntils(): void {
  testsEnded++
}

/** Resolves when it is so, looking at every turn of the event loop. The test's deadline is the timeout. */
export async function until(isSo: () => boolean): Promise<void> {
  const test = testsEnded
  while (!isSo()) {
    await turn()
    if (test !== testsEnded) await new Promise(() => {})
  }
}
