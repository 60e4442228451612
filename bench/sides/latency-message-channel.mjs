// Four threads in a ring of ports: the last hop, from writer to reader, asks for the next item.
import { isMainThread, MessageChannel, parentPort, Worker, workerData } from 'node:worker_threads'
import { Latencies, makeItem, Outcome, settings } from './latency.mjs'

if (isMainThread) await runAll()
else runStage(workerData)

async function runAll() {
  const outcome = new Outcome()
  const latencies = new Latencies()
  const roles = ['reader', 'a', 'b', 'writer']
  const hops = roles.map(() => new MessageChannel())
  const workers = roles.map((role, at) => {
    const ports = { input: hops.at(at - 1).port2, output: hops[at].port1 }
    return new Worker(new URL(import.meta.url), {
      workerData: { role, ports, items: settings.items, memory: outcome.memory, samples: latencies.memory },
      transferList: Object.values(ports),
    })
  })
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))))
  const done = new Promise((resolve) => workers[3].once('message', resolve))
  workers[0].postMessage('go')
  await done
  await Promise.all(workers.map((worker) => worker.terminate()))
  outcome.print(latencies.percentiles())
}

function runStage({ role, ports: { input, output }, items, memory, samples }) {
  const outcome = new Outcome(memory)
  if (role === 'reader') {
    input.on('message', () => output.postMessage(makeItem()))
    parentPort.once('message', () => {
      outcome.begin()
      output.postMessage(makeItem())
    })
  } else if (role === 'writer') {
    const latencies = new Latencies(samples)
    let count = 0
    input.on('message', (item) => {
      latencies.add(count++, item)
      if (count < items) return output.postMessage('next')
      outcome.end({ count, sum: 0 })
      parentPort.postMessage('done')
    })
  } else {
    input.on('message', (item) => output.postMessage(item))
  }
  parentPort.postMessage('ready')
}
