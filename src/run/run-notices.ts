/**
 * What the workers of a run tell it, from all of them, in order.
 *
 * The order is that in which they told it, as far as one could know of the other: whoever logs a line after he has
 * received an item comes after whoever logged before sending it. Each worker has a port of its own, and Node does not
 * say which port it looks at first; so when one has something, all are emptied, and what they held is sorted by the
 * numbers that the workers gave out among themselves. One whose number was given out after the emptying began is kept for
 * the next time: another that came before it may lie in a port that was empty when it was looked at.
 *
 * Nothing waits here, and nothing is lost: what a worker has posted is ours, whatever becomes of the worker. It is taken
 * before the end of a worker, and of the run, is told; and when this process exits, before it does.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { RunLogger } from '../define/stage-options.ts'
import { errorToWire } from '../errors.ts'
import {
  decodeNotice,
  type ItemBeginNotice,
  type ItemNotice,
  LOG_LEVELS,
  type LogLevel,
  type Notice,
  type NoticeSink,
  type TraceTask,
} from '../host/notice.ts'
import { type NoticeTask, POSTED, type PostedNotice, TAKEN } from '../host/notice-port.ts'

/** Where a worker tells, seen from its host: a port that it is given, or a function where it shares our thread. */
export interface NoticeLine {
  task: NoticeTask
  take: NoticeSink
}

export class RunNotices {
  readonly #logger: RunLogger | undefined
  readonly #traced: (item: ItemBeginNotice | ItemNotice) => void
  readonly #levels: readonly LogLevel[] | undefined
  readonly #words = new Int32Array(new SharedArrayBuffer(8))
  readonly #ports = new Set<MessagePort>()
  #hasThrown = false
  /** In order. */
  readonly #untaken: Uint8Array[] = []
  /** Received, and perhaps not in order with what is still to be received. */
  #kept: PostedNotice[] = []

  /** @param traced takes what is told of items that are traced */
  constructor(logger: RunLogger | undefined, traced: (item: ItemBeginNotice | ItemNotice) => void) {
    this.#traced = traced
    this.#logger = logger
    this.#levels = logger && LOG_LEVELS.filter((level) => logger.isLevelEnabled?.(level) ?? true)
  }

  /** A line for one life of a worker; undefined: nobody wants to hear anything. */
  connect(isThread: boolean, trace?: TraceTask): NoticeLine | undefined {
    if (this.#logger === undefined && trace === undefined) return undefined
    const port = isThread ? this.#open() : undefined
    const task = { port, order: this.#words.buffer as SharedArrayBuffer, levels: this.#levels, trace }
    return { task, take: this.#takeHere }
  }

  /** Told in this thread, with no port: what others had told before they sent on what it is about may still lie in theirs. */
  readonly #takeHere = (notice: Notice): void => {
    this.drain()
    this.#take(notice)
  }

  /** Takes everything that was told before this call. */
  drain(first?: PostedNotice): void {
    const until = Atomics.load(this.#words, POSTED)
    const posted: PostedNotice[] = first === undefined ? [] : [first]
    for (const port of this.#ports) {
      for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
        posted.push(next.message)
      }
    }
    Atomics.add(this.#words, TAKEN, posted.length)
    const all = [...this.#kept, ...posted]
    // Places are numbers modulo 2^32, and none is that far from these.
    all.sort(([a], [b]) => ((a - until) | 0) - ((b - until) | 0))
    const isTold = ([place]: PostedNotice): boolean => ((place - until) | 0) < 0
    for (const notice of all) if (isTold(notice)) this.#untaken.push(notice[1])
    this.#kept = all.filter((notice) => !isTold(notice))
    if (this.#kept.length > 0) setImmediate(() => this.drain())
    this.#takeAll()
  }

  /** Whoever takes one may end the run, or the process, and have the others taken before that. */
  #takeAll(): void {
    for (let bytes = this.#untaken.shift(); bytes !== undefined; bytes = this.#untaken.shift()) {
      this.#take(decodeNotice(bytes))
    }
  }

  /** No worker is left that could tell anything, or we do not wait for it any more. */
  close(): void {
    this.drain()
    for (const port of this.#ports) port.close()
    this.#ports.clear()
    forget(this)
  }

  #open(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    remember(this)
    this.#ports.add(port1)
    port1.on('message', (posted: PostedNotice) => this.drain(posted))
    // Its worker is gone, and everything it has told was taken.
    port1.on('close', () => this.#ports.delete(port1))
    port1.unref()
    return port2
  }

  readonly #take = (notice: Notice): void => {
    if (notice.kind !== 'log') {
      this.#traced(notice)
      return
    }
    const { level, fields, message, pipeline, stage, worker, item } = notice
    const place = { pipeline, stage, worker, ...(item === 0 ? {} : { item }) }
    try {
      const words = message === undefined ? [] : [message]
      const told: unknown = this.#logger?.[level]({ ...place, ...fields }, ...words)
      if (told instanceof Promise) told.catch((error: unknown) => this.#noteThrown(pipeline, error))
    } catch (error) {
      this.#noteThrown(pipeline, error)
    }
  }

  /** Neither the run nor the program ends for want of a line. It is told once: a full disk would fail every line. */
  #noteThrown(pipeline: string, thrown: unknown): void {
    if (this.#hasThrown) return
    this.#hasThrown = true
    const { name, message, stack } = errorToWire(thrown)
    const text = `pipeline "${pipeline}": the logger of the run failed, and lines are lost; the run goes on`
    process.emitWarning(text, { type: 'MillraceWarning', detail: stack ?? `${name}: ${message}` })
  }
}

const open = new Set<RunNotices>()
const drainAll = (): void => {
  for (const notices of open) notices.drain()
}

function remember(notices: RunNotices): void {
  if (open.size === 0) process.on('exit', drainAll)
  open.add(notices)
}

function forget(notices: RunNotices): void {
  open.delete(notices)
  if (open.size === 0) process.off('exit', drainAll)
}
