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
    'millrace:item:traced': (message) => this.#item(message),
  }

  /** Nobody listens any more: what is open is ended here. */
  end(): void {
    for (const { span, lives } of this.#runs.values()) {
      for (const life of lives.values()) if (!life.isOver) life.span.end()
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
    for (const life of lives.values()) if (!life.isOver) life.span.end()
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
    of.lives.set(key, { span, context: trace.setSpan(of.context, span), isOver: false })
    const traceparent = traceparentOf(span.spanContext())
    if (traceparent !== undefined) message.trace = { traceparent, sampleEvery: this.#sampleEvery }
  }

  #endLife({ run, stage, worker, how, death }: Message<'millrace:worker:end'>): void {
    const life = this.#runs.get(run)?.lives.get(keyOf(stage, worker))
    if (life === undefined || life.isOver) return
    life.isOver = true
    if (how === 'died') {
      const message = death?.message ?? 'it died'
      life.span.recordException(death?.error === undefined ? message : exceptionOf(death.error))
      life.span.setStatus({ code: SpanStatusCode.ERROR, message })
    }
    life.span.end()
  }

  #item(message: Message<'millrace:item:traced'>): void {
    const { run, stage, worker, item, source, attempt, items, traced, startMs, endMs, error } = message
    const of = this.#runs.get(run)
    const life = of?.lives.get(keyOf(stage, worker))
    if (of === undefined || life === undefined) return
    const keys = traced.map((origin) => `${origin.source} ${origin.item}`)
    const links: Link[] = keys
      .map((key) => of.items.get(key))
      .filter((before) => before !== undefined)
      .map((before) => ({ context: before }))
    const attributes = {
      ...placeOf(stage, worker),
      'millrace.item': item,
      'millrace.source': source,
      'millrace.attempt': attempt,
      ...(items > 1 ? { 'millrace.items': items } : {}),
    }
    const span = this.#tracer.startSpan(stage, { attributes, links, startTime: startMs }, life.context)
    if (error === undefined) for (const key of keys) remember(of.items, key, span.spanContext())
    else {
      span.recordException(exceptionOf(error), endMs)
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
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
