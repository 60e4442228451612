/** Sets each stop event that it is sent to drain, then to abort; ends when it is sent nothing. */
import { parentPort } from 'node:worker_threads'
import { StopEvent, type StopHandle } from '../../../src/index.ts'

parentPort?.on('message', (handle: StopHandle | undefined) => {
  if (handle === undefined) {
    parentPort?.close()
    return
  }
  const stop = StopEvent.from(handle)
  stop.set('drain')
  stop.set('abort')
})
