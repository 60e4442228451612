/** What `millrace stress` can make go wrong. */
export const FAULT_KINDS = ['throw', 'exit', 'terminate', 'oom', 'hang', 'sigint'] as const
export type FaultKind = (typeof FAULT_KINDS)[number]
