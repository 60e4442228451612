/**
 * The life of a worker: the only copy, whatever the host.
 *
 *   open -> ready -> gate -> { take an item -> process -> publish -> give the item back } -> flush -> close -> SENTINEL
 *
 * An item is given back only after its outputs are published, so at every instant each item is in a queue or
 * published; a worker that dies loses nothing. The worker catches its own exceptions: it sets the stop event, leaves
 * its queues so that its neighbours do not wait for it, and closes its resource.
 */
import type { StageDefinition } from '../define/pipeline.ts'
import { ABANDONED, DONE, OUT, type Outcome, READY, RUNNING, sharedNowMs } from '../observe/counters.ts'
import { Emitter, NOT_TAKEN } from './emitter.ts'
import { ItemLoop } from './process-items.ts'
import { StreamLoop } from './process-stream.ts'
import { UnitLoop } from './process-units.ts'
import { SourceLoop } from './source-loop.ts'
import { FLUSH, WorkerCore, type WorkerHost } from './worker-core.ts'
import type { ToWorker } from './worker-life.ts'
import type { WorkerTask } from './worker-task.ts'

export class WorkerLoop {
  readonly #core: WorkerCore
  readonly #source: SourceLoop | undefined

  /** @throws what the queues' handles or the stage's definition are refused for */
  constructor(task: WorkerTask, definitions: readonly StageDefinition[], host: WorkerHost) {
    this.#core = new WorkerCore(task, definitions, host)
    const isSource = this.#core.definition.kind === 'source'
    this.#source = isSource ? new SourceLoop(this.#core, this.#makeEmitter()) : undefined
  }

  /** Runs the worker to its end. Never rejects: what goes wrong is told through `host.fail`. */
  async run(): Promise<void> {
    const core = this.#core
    const { counters, context } = core
    const isOpen = await core.attempt('MILLRACE_OPEN_FAILED', 'failed to open', () =>
      core.bound.open(context),
    )
    if (isOpen) {
      context.keepSlabs()
      counters.life = READY
      await core.host.ready()
      core.startClock()
      counters.life = RUNNING
      await this.#live()
      context.letGoSlabs()
      await core.attempt('MILLRACE_CLOSE_FAILED', 'failed to close', () => core.bound.close(context))
      counters.stopClock(sharedNowMs())
    }
    core.leave()
    await this.#source?.finish()
    counters.life = DONE
  }

  /** It dies here, though its thread goes on; `run` never comes back. */
  abandon(): void {
    this.#core.abandon()
  }

  /** Takes what the run tells it while it lives. */
  hear(message: ToWorker): void {
    if (message.millrace === 'item failure') this.#source?.noteFailure(message.failure, message.items)
  }

  async #live(): Promise<void> {
    const core = this.#core
    // An earlier life had come to its end, and died before it could say so.
    if (core.outputs.haveEnded) return
    try {
      await this.#loop()
    } catch (error) {
      core.fail('MILLRACE_BUG', 'met a bug in Millrace', error)
    }
    core.context.beginItem(0, 1)
    const isRefused = core.outputs.queues.length > 0 && core.isRefused
    if (core.hasFailed || isRefused || core.stop.isSet) return
    await core.attempt('MILLRACE_FLUSH_FAILED', 'failed to flush', async () => {
      // Named by how often it was launched: one that retired and came back may flush once more.
      const madeBy = FLUSH - core.counters.launches
      core.outputs.setPartial(madeBy)
      core.outputs.beginFlush(madeBy)
      await this.#makeEmitter().emit(core.bound.flush(core.context))
    })
  }

  #loop(): Promise<void> {
    const core = this.#core
    if (this.#source !== undefined) return this.#source.run()
    if (core.bound.stream !== undefined) return new StreamLoop(core, this.#makeEmitter()).run()
    return new (core.hasUnits ? UnitLoop : ItemLoop)(core, this.#makeEmitter()).run()
  }

  /** An emitter is done with when its stream has ended: `flush` gets one of its own. */
  #makeEmitter(): Emitter {
    const core = this.#core
    return new Emitter(core.operators, {
      put: core.isSink ? this.#accept : core.outputs.put,
      end: () => core.end(),
      becomeAsync: () => core.waiting.becomeAsync(),
    })
  }

  /** The `put` of a sink: whatever it returned or yielded is of no interest. */
  readonly #accept = (value: unknown): Outcome => {
    if (value !== NOT_TAKEN) return OUT
    this.#core.isOver = true
    return ABANDONED
  }
}
