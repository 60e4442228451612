// A thread for each stage; frames are moved (transferred) from port to port, and handed back to the source by a port of
// their own: a new frame for each item would measure page faults.
import { isMainThread, MessageChannel, parentPort, Worker, workerData } from 'node:worker_threads'
import { Checksum, FRAME_BYTES, fill, steps } from '../work/frames.mjs'
import { Outcome, settings } from './outcome.mjs'

if (isMainThread) await runAll()
else runStage(workerData)

async function runAll() {
  const outcome = new Outcome()
  const roles = ['reader', ...Object.keys(steps), 'writer']
  const hops = roles.map(() => new MessageChannel())
  const workers = roles.map((role, at) => {
    // The last hop leads from the writer to the reader.
    const ports = { input: hops.at(at - 1).port2, output: hops[at].port1 }
    return new Worker(new URL(import.meta.url), {
      workerData: { role, ports, settings, memory: outcome.memory },
      transferList: Object.values(ports),
    })
  })
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))))
  const done = new Promise((resolve) => workers.at(-1).once('message', resolve))
  workers[0].postMessage('go')
  await done
  await Promise.all(workers.map((worker) => worker.terminate()))
  outcome.print()
}

function runStage({ role, ports: { input, output }, settings: { items, capacity }, memory }) {
  const outcome = new Outcome(memory)
  const send = (frame) => output.postMessage(frame, [frame.buffer])
  if (role === 'reader') {
    let number = 0
    const read = (frame) => number < items && send(fill(frame, number++))
    input.on('message', read)
    parentPort.once('message', () => {
      const frames = Array.from({ length: capacity }, () => new Uint8Array(FRAME_BYTES))
      outcome.begin()
      for (const frame of frames) read(frame)
    })
  } else if (role === 'writer') {
    const checksum = new Checksum()
    input.on('message', (frame) => {
      checksum.add(frame)
      if (checksum.count === items) {
        outcome.end(checksum)
        parentPort.postMessage('done')
      } else send(frame)
    })
  } else {
    const step = steps[role]
    input.on('message', (frame) => send(step(frame)))
  }
  parentPort.postMessage('ready')
}
