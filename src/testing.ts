/** `millrace/testing`: runs a pipeline in one thread, in virtual time. */
export type { Fault } from './testing/faults.ts'
export type { ItemOutcome, ItemRecord } from './testing/item-ledger.ts'
export type { SimulationSettings } from './testing/simulated-pipeline.ts'
export { openSimulation, Simulation, type SimulationResult, simulate } from './testing/simulation.ts'
