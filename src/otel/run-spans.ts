/**
 * Spans of runs: one for each run, under it one for each life of a worker, under those one for each try of an item
 * that is traced. That of an item is linked to the same item's in the stage before.
 *
 * All are made here, in the thread that started the run: an SDK is needed in no other. Workers are told the name of the
 * span of their life (`ctx.traceparent`), and tell when what they trace began and ended.
 */
import {
  type Context,
  context,
  isSpanContextValid,
  type Link,
  type Span,
  type SpanContext,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { WireError } from '../errors.ts'
import type { PipelineManager } from '../run/manager.ts'
import type { ChannelMessages } from '../run/run-channels.ts'
import type { Listeners } from './listen.ts'

interface RunTrace {
  span: Span
  context: Context
  /** Of each worker, its present life, or the last. */
  lives: Map<string, LifeTrace>
  /** The newest span of each item that is traced. */
  items: Map<string, SpanContext>
}

interface LifeTrace {
  span: Span
  context: Context
  isOver: boolean
  /** Tries that have begun and not ended. */
  tries: Map<number, TryTrace>
}

interface TryTrace {
  span: Span
  /** The newest spans of its items before it. */
  before: Map<string, SpanContext | undefined>
}

type Message<Name extends keyof ChannelMessages> = ChannelMessages[Name]

/** Items whose newest span is remembered for the next stage: more than are ever under way between two that are traced. */
const MOST_ITEMS = 10_000

export class RunSpans {
  readonly #tracer: Tracer
  readonly #sampleEvery: number
  readonly #runs = new Map<PipelineManager, RunTrace>()

  constructor(tracer: Tracer, sampleEvery: number) {
    this.#tracer = tracer
    this.#sampleEvery = sampleEvery
  }

  readonly listeners: Listeners = {
    'millrace:run:start': ({ run }) => this.#begin(run),
    'millrace:run:stop': ({ run, level, reason }) =>
      this.#event(run, level, reason === undefined ? {} : { 'millrace.reason': reason }),
    'millrace:run:overdue': ({ run, deadline, afterMs }) =>
      this.#event(run, 'overdue', { 'millrace.deadline': deadline, 'millrace.after_ms': afterMs }),
    'millrace:run:failure': ({ run, failure }) => {
      const about = { 'millrace.code': failure.code, 'millrace.stage': failure.stage }
      this.#event(run, 'failure', { ...about, 'millrace.message': failure.message })
    },
    'millrace:run:end': (message) => this.#end(message),
    'millrace:worker:start': (message) => this.#beginLife(message),
    'millrace:worker:end': (message) => this.#endLife(message),
    'millrace:worker:restart': ({ run, stage, worker, delayMs }) =>
      this.#event(run, 'restart', { ...placeOf(stage, worker), 'millrace.delay_ms': delayMs }),
    'millrace:worker:stuck': ({ run, stage, worker, item, sinceMs }) => {
      const attributes = { 'millrace.item': item, 'millrace.since_ms': sinceMs }
      this.#runs.get(run)?.lives.get(keyOf(stage, worker))?.span.addEvent('stuck', attributes)
    },
    'millrace:item:begin': (message) => this.#beginTry(message),
    'millrace:item:traced': (message) => this.#endTry(message),
  }

  /** Nobody listens any more: what is open is ended here. */
  end(): void {
    for (const { span, lives } of this.#runs.values()) {
      for (const life of lives.values()) endOpen(life)
      span.end()
    }
    this.#runs.clear()
  }

  #begin(run: PipelineManager): void {
    const span = this.#tracer.startSpan('millrace run')
    const within = trace.setSpan(context.active(), span)
    this.#runs.set(run, { span, context: within, lives: new Map(), items: new Map() })
  }

  #end({ run, report, error }: Message<'millrace:run:end'>): void {
    const of = this.#runs.get(run)
    if (of === undefined) return
    this.#runs.delete(run)
    const { span, lives } = of
    // Those that are stuck: nobody will hear of their end.
    for (const life of lives.values()) endOpen(life)
    if (report !== undefined) {
      span.updateName(`run ${report.pipeline}`)
      span.setAttributes({ 'millrace.pipeline': report.pipeline, 'millrace.outcome': report.outcome })
    }
    if (error !== undefined) {
      span.recordException(error instanceof Error ? error : String(error))
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : '' })
    }
    span.end()
  }

  #beginLife(message: Message<'millrace:worker:start'>): void {
    const { run, stage, worker, life, host } = message
    const of = this.#runs.get(run)
    if (of === undefined) return
    const key = keyOf(stage, worker)
    const before = of.lives.get(key)
    const links = before === undefined ? [] : [{ context: before.span.spanContext() }]
    const attributes = { ...placeOf(stage, worker), 'millrace.life': life, 'millrace.host': host }
    const span = this.#tracer.startSpan(`worker ${stage} ${worker}`, { attributes, links }, of.context)
    of.lives.set(key, { span, context: trace.setSpan(of.context, span), isOver: false, tries: new Map() })
    const traceparent = traceparentOf(span.spanContext())
    if (traceparent !== undefined) message.trace = { traceparent, sampleEvery: this.#sampleEvery }
  }

  #endLife({ run, stage, worker, how, death }: Message<'millrace:worker:end'>): void {
    const of = this.#runs.get(run)
    const life = of?.lives.get(keyOf(stage, worker))
    if (of === undefined || life === undefined || life.isOver) return
    if (how === 'died') {
      const message = death?.message ?? 'it died'
      for (const { span, before } of life.tries.values()) {
        span.setStatus({ code: SpanStatusCode.ERROR, message })
        takeBack(of.items, before, span)
      }
      life.span.recordException(death?.error === undefined ? message : exceptionOf(death.error))
      life.span.setStatus({ code: SpanStatusCode.ERROR, message })
    }
    endOpen(life)
  }

  #beginTry(message: Message<'millrace:item:begin'>): void {
    const { run, stage, worker, id, item, source, attempt, items, traced, startMs } = message
    const of = this.#runs.get(run)
    const life = of?.lives.get(keyOf(stage, worker))
    if (of === undefined || life === undefined) return
    const keys = traced.map((origin) => `${origin.source} ${origin.item}`)
    const before = new Map(keys.map((key) => [key, of.items.get(key)]))
    const links: Link[] = [...before.values()]
      .filter((span) => span !== undefined)
      .map((span) => ({ context: span }))
    const attributes = {
      ...placeOf(stage, worker),
      'millrace.item': item,
      'millrace.source': source,
      'millrace.attempt': attempt,
      ...(items > 1 ? { 'millrace.items': items } : {}),
    }
    const span = this.#tracer.startSpan(stage, { attributes, links, startTime: startMs }, life.context)
    life.tries.set(id, { span, before })
    for (const key of keys) remember(of.items, key, span.spanContext())
  }

  #endTry({ run, stage, worker, id, endMs, error }: Message<'millrace:item:traced'>): void {
    const of = this.#runs.get(run)
    const tries = of?.lives.get(keyOf(stage, worker))?.tries
    const ended = tries?.get(id)
    if (of === undefined || ended === undefined) return
    tries?.delete(id)
    const { span, before } = ended
    if (error !== undefined) {
      span.recordException(exceptionOf(error), endMs)
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
      takeBack(of.items, before, span)
    }
    span.end(endMs)
  }

  #event(run: PipelineManager, name: string, attributes: Record<string, string | number>): void {
    this.#runs.get(run)?.span.addEvent(name, attributes)
  }
}

function keyOf(stage: string, worker: number): string {
  return `${worker} ${stage}`
}

function placeOf(stage: string, worker: number): { 'millrace.stage': string; 'millrace.worker': number } {
  return { 'millrace.stage': stage, 'millrace.worker': worker }
}

function remember(items: Map<string, SpanContext>, key: string, span: SpanContext): void {
  items.delete(key)
  items.set(key, span)
  if (items.size <= MOST_ITEMS) return
  const [oldest] = items.keys()
  items.delete(oldest)
}

/** A try that failed is nobody's forerunner: the next one is linked to what this one was. */
function takeBack(items: RunTrace['items'], before: TryTrace['before'], span: Span): void {
  for (const [key, earlier] of before) {
    if (items.get(key)?.spanId !== span.spanContext().spanId) continue
    if (earlier === undefined) items.delete(key)
    else remember(items, key, earlier)
  }
}

/** Nobody will hear of its end, nor of that of what it had begun. */
function endOpen(life: LifeTrace): void {
  for (const { span } of life.tries.values()) span.end()
  life.tries.clear()
  if (!life.isOver) life.span.end()
  life.isOver = true
}

/** Undefined where no SDK is set up. */
function traceparentOf(span: SpanContext): string | undefined {
  if (!isSpanContextValid(span)) return undefined
  return `00-${span.traceId}-${span.spanId}-${(span.traceFlags & 0xff).toString(16).padStart(2, '0')}`
}

function exceptionOf({ name, message, stack, fields }: WireError) {
  const code = fields?.code
  return {
    name,
    message,
    ...(stack === undefined ? {} : { stack }),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
  }
}
