/** Runs jobs in processes of their own, as many at a time as there are cores, and tells of each as it ends, in their order. */
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Job } from './job.ts'

/** Joined by run.mjs. */
const JOB = fileURLToPath(new URL('../.built/verify/job.mjs', import.meta.url))

export async function runJobs<Result>(
  jobs: readonly Job[],
  tell: (result: Result) => void = () => {},
): Promise<Result[]> {
  const running: Promise<Result>[] = []
  const results: Result[] = []
  let next = 0
  const work = async (): Promise<void> => {
    while (next < jobs.length) {
      const at = next++
      running[at] = runJob<Result>(jobs[at])
      await running[at].catch(() => {})
    }
  }
  const workers = Array.from({ length: availableParallelism() }, work)
  for (let at = 0; at < jobs.length; at++) {
    // A later one may have ended before; its promise is there once a worker has come to it.
    while (running[at] === undefined)
      await Promise.race(running.filter((one) => one !== undefined)).catch(() => {})
    const result = await running[at]
    results.push(result)
    tell(result)
  }
  await Promise.all(workers)
  return results
}

export async function runJob<Result>(job: Job): Promise<Result> {
  // A schedule is as deep as it has steps; a stack that is larger than what the system gives would end the process.
  const flags = ['--max-old-space-size=3000', '--stack-size=60000']
  const child = spawn(
    '/bin/sh',
    [
      '-c',
      `ulimit -s 65536 2>/dev/null || ulimit -s hard; exec "$@"`,
      'sh',
      process.execPath,
      ...flags,
      JOB,
      JSON.stringify(job),
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let said = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (text: string) => {
    said += text
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`${JSON.stringify(job)} ended with code ${code}`)
  return JSON.parse(said) as Result
}
