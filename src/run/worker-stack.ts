/**
 * Where the code of a worker is, seen from the thread that started it: for a worker that does not come back.
 *
 * Through V8's inspector, which can interrupt a loop without its help. The worker is held for as long as it takes to
 * tell its stack; native code cannot be interrupted, and a worker in native code gets no stack told.
 */
import type { Session } from 'node:inspector'
import { fileURLToPath } from 'node:url'

/** As the inspector tells it; lines and columns from 0. */
interface CallFrame {
  functionName: string
  location: { scriptId: string; lineNumber: number; columnNumber?: number }
}

/** What the worker's debugger tells, of what it is asked here. */
type Message =
  | { method: 'Debugger.scriptParsed'; params: { scriptId: string; url: string } }
  | { method: 'Debugger.paused'; params: { callFrames: CallFrame[] } }
  | { method?: undefined }

interface Stack {
  frames: readonly CallFrame[]
  /** Files by script. The `url` of a call frame is empty where the debugger came after the script. */
  urls: ReadonlyMap<string, string>
}

const MAX_FRAMES = 20

/**
 * The stack of a worker of this thread, a line per call: `at fn (file:line:col)`; undefined if it cannot be had.
 *
 * Never rejects. The worker runs on, whatever comes of it. Code that the TypeScript loader changed has its own lines.
 * It must not be terminated meanwhile: see `StageWorker.whileAsked`.
 * @param timeoutMs the longest it may take
 */
export async function readWorkerStack(threadId: number, timeoutMs = 500): Promise<string | undefined> {
  let session: Session | undefined
  try {
    // Not at the top: Node may be built without it, and few runs ever need it.
    const inspector = await import('node:inspector')
    session = new inspector.Session()
    session.connect()
    const stack = await pause(session, threadId, timeoutMs)
    return stack && format(stack)
  } catch {
    return undefined
  } finally {
    disconnect(session)
  }
}

function disconnect(session: Session | undefined): void {
  try {
    session?.disconnect()
  } catch {
    // It was never connected.
  }
}

/**
 * What the inspector tells interrupts this thread wherever it is, be it in the middle of Node's own code: a timer that is
 * cleared there may be the one that is about to be called. So nothing is done there but to settle and to let the worker go.
 */
async function pause(session: Session, threadId: number, timeoutMs: number): Promise<Stack | undefined> {
  let giveUp = (): void => {}
  const timer = setTimeout(() => giveUp(), timeoutMs)
  try {
    return await new Promise<Stack | undefined>((resolve, reject) => {
      giveUp = askForStack(session, threadId, (stack, error) =>
        error === undefined ? resolve(stack) : reject(error),
      )
    })
  } finally {
    clearTimeout(timer)
  }
}

type OnStack = (stack: Stack | undefined, error?: unknown) => void

/** Returns what gives it up. */
function askForStack(session: Session, threadId: number, onStack: OnStack): () => void {
  const urls = new Map<string, string>()
  let target: string | undefined
  const end = (stack: Stack | undefined, error?: unknown): void => {
    onStack(stack, error)
    const held = target
    target = undefined
    if (held !== undefined) release(session, held)
  }
  session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
    if (threadIdOf(workerInfo.title) !== threadId) return
    target = sessionId
    send(session, target, 'Debugger.enable')
    send(session, target, 'Debugger.pause')
  })
  session.on('NodeWorker.receivedMessageFromWorker', ({ params: { sessionId, message } }) => {
    if (sessionId !== target) return
    const told = JSON.parse(message) as Message
    if (told.method === 'Debugger.scriptParsed') urls.set(told.params.scriptId, told.params.url)
    if (told.method === 'Debugger.paused') end({ frames: told.params.callFrames, urls })
  })
  session.on('NodeWorker.detachedFromWorker', ({ params: { sessionId } }) => {
    if (sessionId !== target) return
    target = undefined
    end(undefined)
  })
  session.post('NodeWorker.enable', { waitForDebuggerOnStart: false }, (error) => {
    // All workers that there are have been told of by now.
    if (error || target === undefined) end(undefined, error ?? undefined)
  })
  return () => end(undefined)
}

function send(session: Session, sessionId: string, method: string): void {
  const message = JSON.stringify({ id: 1, method })
  // A worker that is gone does not mind.
  session.post('NodeWorker.sendMessageToWorker', { sessionId, message }, () => {})
}

/**
 * Lets the worker go on, and not be held later: it may not have come to its pause yet. To disconnect is not enough:
 * a worker whose session ends while it is held, or has still to be, is held for ever (seen with Node 20.20).
 */
function release(session: Session, sessionId: string): void {
  send(session, sessionId, 'Debugger.resume')
  send(session, sessionId, 'Debugger.disable')
  session.post('NodeWorker.detach', { sessionId }, () => {})
}

/** `[worker 3] name`; `Worker 3` in older versions. */
function threadIdOf(title: string): number {
  return Number(/^\[worker (\d+)\]|^Worker (\d+)$/.exec(title)?.slice(1).join(''))
}

function format({ frames, urls }: Stack): string | undefined {
  const lines = frames.map(({ functionName, location }) => ({
    functionName,
    location,
    url: urls.get(location.scriptId) ?? '',
  }))
  const own = lines.filter(({ url }) => !url.startsWith('node:'))
  // All of it Node's own: better than nothing.
  const shown = (own.length > 0 ? own : lines).slice(0, MAX_FRAMES)
  return shown.length === 0 ? undefined : shown.map(formatLine).join('\n')
}

function formatLine({ functionName, location, url }: CallFrame & { url: string }): string {
  const file = url === '' ? '<anonymous>' : url.startsWith('file:') ? fileURLToPath(url) : url
  const place = `${file}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1}`
  return functionName === '' ? `at ${place}` : `at ${functionName} (${place})`
}
