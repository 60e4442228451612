/**
 * Which objects are more than their properties.
 *
 * JavaScript cannot ask whether an object has internal slots of a kind it does not know. Such objects are
 * made by constructors, though, so the constructors along the prototype chain decide: native ones, those of
 * Node.js that say how they cross threads, and the classes of the web platform.
 */

const NATIVE = /\{\s*\[native code\]\s*\}\s*$/
/** Node's own classes have methods under symbols of these descriptions. */
const CROSSING = /^messaging_(?:clone|transfer|deserialize)_symbol$/

/** Globals that Node.js writes in JavaScript, and that would arrive as empty objects. */
const WEB = new Set(
  (
    'AbortController AbortSignal Blob BroadcastChannel ByteLengthQueuingStrategy CloseEvent CompressionStream ' +
    'CountQueuingStrategy Crypto CryptoKey CustomEvent DecompressionStream DOMException Event EventSource ' +
    'EventTarget File FormData Headers MessageChannel MessageEvent MessagePort Navigator Performance ' +
    'PerformanceEntry PerformanceMark PerformanceMeasure PerformanceObserver PerformanceObserverEntryList ' +
    'PerformanceResourceTiming ReadableByteStreamController ReadableStream ReadableStreamBYOBReader ' +
    'ReadableStreamBYOBRequest ReadableStreamDefaultController ReadableStreamDefaultReader Request Response ' +
    'Storage SubtleCrypto TextDecoder TextDecoderStream TextEncoder TextEncoderStream TransformStream ' +
    'TransformStreamDefaultController URL URLSearchParams WebSocket WritableStream ' +
    'WritableStreamDefaultController WritableStreamDefaultWriter'
  ).split(' '),
)

const verdicts = new WeakMap<object, boolean>()

/** Whether nothing in the chain from `proto` on comes from the platform: objects below it are plain. */
export function hasNoBrand(proto: object): boolean {
  let verdict = verdicts.get(proto)
  if (verdict === undefined) {
    verdict = chainIsPlain(proto)
    verdicts.set(proto, verdict)
  }
  return verdict
}

function chainIsPlain(proto: object): boolean {
  let at = proto
  for (let up = Object.getPrototypeOf(at); up !== null; at = up, up = Object.getPrototypeOf(at)) {
    if (isPlatformClass(constructorOf(at)) || hasIteratorMethods(at)) return false
    if (Object.getOwnPropertySymbols(at).some((symbol) => CROSSING.test(symbol.description ?? '')))
      return false
  }
  return true
}

function isPlatformClass(Class: Function | undefined): boolean {
  if (Class === undefined) return false
  if (isNative(Class)) return Class.name !== 'Object' && Class.name !== 'Array'
  const { name } = Class
  return WEB.has(name) && (globalThis as Record<string, unknown>)[name] === Class
}

/** Iterators and generators have no constructor, but a native `next`. */
function hasIteratorMethods(proto: object): boolean {
  const next = Object.getOwnPropertyDescriptor(proto, 'next')?.value
  return typeof next === 'function' && isNative(next)
}

/** Whether a function is none that was written in JavaScript. */
export function isNative(fn: Function): boolean {
  return NATIVE.test(Function.prototype.toString.call(fn))
}

function constructorOf(proto: object): Function | undefined {
  const Class = Object.getOwnPropertyDescriptor(proto, 'constructor')?.value
  return typeof Class === 'function' ? Class : undefined
}

/** `a WeakMap`: the name of the nearest class, without running anything of the object's. */
export function described(value: object): string {
  for (let at = Object.getPrototypeOf(value); at !== null; at = Object.getPrototypeOf(at)) {
    const name = Object.getPrototypeOf(at) === null ? undefined : constructorOf(at)?.name
    if (name) return withArticle(name)
  }
  return withArticle(Object.prototype.toString.call(value).slice('[object '.length, -1))
}

function withArticle(name: string): string {
  return `${/^[AEIO]/i.test(name) ? 'an' : 'a'} ${name}`
}
