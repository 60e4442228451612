// Four threads, a MessageChannel per hop, credits as the brake; BATCH items a message (1: one by one).
import { isMainThread, MessageChannel, parentPort, Worker, workerData } from 'node:worker_threads'
import { report, settings } from '../side.mjs'
import { Checksum, makeLine, reverse, upper } from './work.mjs'

if (isMainThread) await report(runAll)
else runStage(workerData)

async function runAll({ items, capacity, batch = 1 }) {
  const hops = [new MessageChannel(), new MessageChannel(), new MessageChannel()]
  const stage = (role, input, output) =>
    new Worker(new URL(import.meta.url), {
      workerData: { role, input, output, items, capacity, batch },
      transferList: [input, output].filter(Boolean),
      argv: process.argv.slice(2),
    })
  const workers = [
    stage('reader', undefined, hops[0].port1),
    stage('upper', hops[0].port2, hops[1].port1),
    stage('reverse', hops[1].port2, hops[2].port1),
    stage('writer', hops[2].port2, undefined),
  ]
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))))
  settings.started = performance.now()
  const done = new Promise((resolve) => workers[3].once('message', resolve))
  for (const worker of workers) worker.postMessage('go')
  const checksum = await done
  await Promise.all(workers.map((worker) => worker.terminate()))
  return checksum
}

function runStage({ role, input, output, items, capacity, batch }) {
  const checksum = new Checksum()
  const window = Math.max(1, Math.floor(capacity / batch))
  let credits = window
  const waiting = []
  let number = 0
  let pump = () => {}
  output?.on('message', (given) => {
    credits += given
    pump()
  })
  const drain = () => {
    while (credits > 0 && waiting.length > 0) {
      credits--
      output.postMessage(waiting.shift())
      input?.postMessage(1)
    }
  }
  if (role === 'reader') {
    pump = () => {
      while (credits > 0 && number < items) {
        const lines = []
        while (lines.length < batch && number < items) lines.push(makeLine(number++))
        credits--
        output.postMessage(lines)
      }
    }
  } else if (role === 'writer') {
    input.on('message', (lines) => {
      for (const line of lines) checksum.add(line)
      input.postMessage(1)
      if (checksum.count === items) parentPort.postMessage({ ...checksum })
    })
  } else {
    const work = role === 'upper' ? upper : reverse
    pump = drain
    input.on('message', (lines) => {
      waiting.push(lines.map(work))
      drain()
    })
  }
  parentPort.once('message', () => role === 'reader' && pump())
  parentPort.postMessage('ready')
}
