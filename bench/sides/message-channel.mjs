// A thread for each stage, a MessageChannel for each hop, credits as the brake; `batch` items a message.
import { isMainThread, MessageChannel, parentPort, Worker, workerData } from 'node:worker_threads'
import { makerOf, WORKS } from '../work/works.mjs'
import { Outcome, settings } from './outcome.mjs'

if (isMainThread) await runAll()
else runStage(workerData)

async function runAll() {
  const outcome = new Outcome()
  const roles = ['reader', ...Object.keys(WORKS[settings.work].steps), 'writer']
  const hops = roles.slice(1).map(() => new MessageChannel())
  const workers = roles.map((role, at) => {
    const ports = { input: hops[at - 1]?.port2, output: hops[at]?.port1 }
    return new Worker(new URL(import.meta.url), {
      workerData: { role, ports, settings, memory: outcome.memory },
      transferList: Object.values(ports).filter(Boolean),
    })
  })
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))))
  const done = new Promise((resolve) => workers.at(-1).once('message', resolve))
  workers[0].postMessage('go')
  await done
  await Promise.all(workers.map((worker) => worker.terminate()))
  outcome.print()
}

function runStage({ role, ports: { input, output }, settings, memory }) {
  const { items, capacity, batch = 1 } = settings
  const work = WORKS[settings.work]
  const outcome = new Outcome(memory)
  let credits = Math.max(1, Math.floor(capacity / batch))
  let pump = () => {}
  output?.on('message', (given) => {
    credits += given
    pump()
  })
  parentPort.once('message', () => {
    outcome.begin()
    pump()
  })
  if (role === 'reader') pump = read()
  else if (role === 'writer') write()
  else pump = process(work.steps[role])
  parentPort.postMessage('ready')

  function read() {
    const make = makerOf(work, settings)
    let number = 0
    return () => {
      while (credits > 0 && number < items) {
        const chunk = []
        while (chunk.length < batch && number < items) chunk.push(make(number++))
        credits--
        output.postMessage(chunk)
        if (number === items) output.postMessage(null)
      }
    }
  }

  function process(step) {
    const waiting = []
    input.on('message', (chunk) => {
      waiting.push(chunk?.map(step).filter((item) => item !== undefined) ?? null)
      drain()
    })
    return drain

    function drain() {
      // The end, null, is no item: it needs no credit and takes none.
      while (waiting.length > 0 && (credits > 0 || waiting[0] === null)) {
        const chunk = waiting.shift()
        output.postMessage(chunk)
        if (chunk === null) continue
        credits--
        input.postMessage(1)
      }
    }
  }

  function write() {
    const checksum = new work.Checksum()
    input.on('message', (chunk) => {
      if (chunk === null) {
        outcome.end(checksum)
        parentPort.postMessage('done')
        return
      }
      for (const item of chunk) checksum.add(item)
      input.postMessage(1)
    })
  }
}
