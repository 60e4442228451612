import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../support/places.ts'

const SRC = path.join(ROOT, 'src/')

/** Path below src -> its text without comments. */
const sources = new Map(
  readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [
      file.split(path.sep).join('/'),
      withoutComments(readFileSync(path.join(SRC, file), 'utf8')),
    ]),
)

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|[^:'"`])\/\/.*$/gm, '$1')
}

function filesWith(pattern: RegExp): string[] {
  return [...sources].filter(([, text]) => pattern.test(text)).map(([file]) => file)
}

/** Fails for a file without the right, and for a right that nobody uses any more. */
function assertOnly(pattern: RegExp, allowed: readonly string[]): void {
  assert.deepEqual(filesWith(pattern).toSorted(), [...allowed].toSorted())
}

test('there are sources to look at, and their comments are not looked at', () => {
  assert.ok(sources.size > 50)
  assert.ok(sources.get('queue/doorbell.ts')?.includes('class Doorbell'))
  assert.equal(withoutComments("a /* b\n c */ d // e\nf('http://g')"), "a  d \nf('http://g')")
})

test('Atomics.wait, waitAsync and notify are used in the one door, and to wait for a full pipe', () => {
  assertOnly(/Atomics\s*\.\s*(wait|waitAsync|notify)\b|Atomics as unknown/, [
    'queue/atomics.ts',
    'host/write-sync.ts',
  ])
})

test('only the doorbell and the stop event wait or wake', () => {
  for (const name of ['wait', 'waitAsync', 'notifyAll']) {
    const allowed =
      name === 'notifyAll' ? ['queue/doorbell.ts', 'queue/stop-event.ts'] : ['queue/doorbell.ts']
    assertOnly(new RegExp(`import \\{[^}]*\\b${name}\\b[^}]*\\} from '[^']*/atomics\\.ts'`), allowed)
  }
})

test('shared words of queues are reached only through the one door', () => {
  const users = filesWith(/\bAtomics\b/).filter((file) => file.startsWith('queue/'))
  assert.deepEqual(users, ['queue/atomics.ts'])
})

test('only hosts create threads and processes; the command line one, to have a syntax error found', () => {
  assertOnly(/\bnew Worker\(/, ['host/thread/thread-host.ts'])
  assertOnly(/\bnode:(child_process|cluster)\b/, [
    'cli/find-syntax-error.ts',
    'cli/stress/interrupt-graph.ts',
    'host/child/guardian.ts',
    'host/child/program.ts',
  ])
})

test('timers are for deadlines, for keeping alive and for views', () => {
  const reasons: Record<string, string> = {
    'deadline.ts': 'a deadline that may be for ever',
    'queue/doorbell.ts': 'a waiting process is kept alive; the timeout of a wait',
    'host/finality.ts': 'how often a source that tracks its items looks which are final',
    'command/command-pairs.ts': 'how long a program that has closed its output may take to end',
    'host/child/program.ts': 'how long a program has to end after SIGTERM, and what it started after it',
    'host/time-limit.ts': 'the deadline of an item',
    'host/process/process-proxy.ts': 'how long a process that is done may take to be gone',
    'onnx/micro-batcher.ts': 'how long the first item of a batch waits for others',
    'run/worker-stack.ts': 'how long a worker may take to tell its stack',
    'host/read-items.ts': 'how long a source that waits may take after the drain began',
    'run/ladder.ts': 'the deadlines of drain, abort and terminate',
    'run/manager.ts': 'the deadline of the start',
    'run/stage-worker.ts': 'the delay before a restart',
    'run/watchdog.ts': 'how often it looks; the deadline of a terminate',
    'testing/faults.ts': 'a fault that makes an item slow, in virtual time',
    'testing/virtual-time.ts': 'the end of an advance, in virtual time',
    'cli/live-view.ts': 'the frames of a view',
    'cli/stress/stress-line.ts': 'the frames of a view',
    'cli/stress/run-graph.ts': 'the deadline of a run; the moments at which a thread is terminated',
    'cli/stress/interrupt-graph.ts':
      'the deadline of a command line that was interrupted; the moment of the signal',
    'cli/end-process.ts': 'the deadline of the last output',
  }
  assertOnly(/\bset(Timeout|Interval|Deadline)\(|timers\/promises/, Object.keys(reasons))
})

test('error classes are made in one file', () => {
  assertOnly(/\bclass\s+\w+(<[^>]*>)?\s+extends\s+\w*Error\b/, ['errors.ts'])
})

test('every error of a run or queue has a code: plain errors are not thrown', () => {
  // There it is what a user's stage does.
  assertOnly(/throw new (Error|TypeError|RangeError)\(/, ['cli/stress/build-graph.ts'])
})

test("the run's state is assigned in one place", () => {
  const assignments = sources.get('run/state.ts')?.match(/this\.#name = /g)
  assert.equal(assignments?.length, 1)
  assertOnly(/:\s*RunStateName\s*=/, ['run/state.ts'])
})
