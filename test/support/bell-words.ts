/** Where the two sides of the doorbell tests find their words. */
export const ASKED = 0
export const ANSWERED = 1
export const ASKER_BELL = 16
export const WORKER_BELL = 32
export const WORDS = 48
