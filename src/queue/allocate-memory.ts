/** Shared memory of which only what is used is ever in memory. */

/** From there on glibc maps each piece by itself (DEFAULT_MMAP_THRESHOLD_MAX, a 64-bit system). */
const ALWAYS_MAPPED_BYTES = 32 * 2 ** 20 + 4096
/** What is smaller is cleared faster than it is mapped. */
const SMALL_BYTES = 2 ** 20

/**
 * A queue reserves the bytes that it may come to need, and seldom uses more than their beginning. Pages fresh from the
 * system are zero and take no memory before they are written to. glibc, though, keeps a piece of up to 32 MiB that was
 * freed, and clears it with a loop when it is allocated again: then all of it is in memory. In a process with many
 * runs that was 16 MiB for each queue of every run whose memory V8 had not collected yet, some 600 MB, and a
 * third of the time of a short run. A larger piece goes back to the system when it is freed, so the request is
 * rounded up to one: the address space is all that it costs. Other allocators map sizes like these anyway.
 */
export function allocateMemory(bytes: number): SharedArrayBuffer {
  const isKept = process.platform === 'linux' && bytes >= SMALL_BYTES && bytes < ALWAYS_MAPPED_BYTES
  return new SharedArrayBuffer(isKept ? ALWAYS_MAPPED_BYTES : bytes)
}
