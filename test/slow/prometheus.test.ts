// A real Prometheus scrapes a run; its sums are the report's.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type PipelineManager, start } from '../../src/index.ts'
import { renderMetrics, serveMetrics } from '../../src/prometheus.ts'
import crowd from '../fixtures/pipelines/crowd.ts'
import { test, watch } from '../support/harness.ts'

const hasTools = ['prometheus', 'promtool'].every(
  (tool) => spawnSync(tool, ['--version']).error === undefined,
)
const skip = hasTools ? false : 'needs prometheus and promtool'

async function runCrowd() {
  const run = watch(start(crowd, { items: 2_000, stages: 2, workers: 2, capacity: 16 }))
  for await (const _ of run);
  return { run: run as PipelineManager, report: await run.join() }
}

test('promtool has nothing to say against the metrics', { skip }, async () => {
  const { run } = await runCrowd()
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: renderMetrics(run),
    encoding: 'utf8',
  })
  assert.deepEqual([status, stdout, stderr], [0, '', ''])
})

test('what Prometheus has scraped sums up to the report', { skip, deadlineMs: 90_000 }, async () => {
  const { run, report } = await runCrowd()
  await using server = await serveMetrics(run, { port: 0 })
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-prometheus-'))
  const port = await freePort()
  writeFileSync(
    path.join(folder, 'prometheus.yml'),
    `scrape_configs:\n  - job_name: millrace\n    scrape_interval: 1s\n    static_configs:\n      - targets: ['127.0.0.1:${server.port}']\n`,
  )
  const prometheus = spawn(
    'prometheus',
    [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  )
  try {
    for (const stage of report.stages) {
      const metric = `sum(millrace_items_out_total{stage="${stage.name}"})`
      assert.equal(await query(port, metric), stage.out, metric)
    }
  } finally {
    const gone = new Promise((resolve) => prometheus.once('exit', resolve))
    prometheus.kill('SIGKILL')
    await gone
    rmSync(folder, { recursive: true })
  }
})

/** The value, once Prometheus has one. The test's deadline is the timeout. */
async function query(port: number, metric: string): Promise<number> {
  for (;;) {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(metric)}`)
      const { data } = (await answer.json()) as { data?: { result: { value: [number, string] }[] } }
      if (data !== undefined && data.result.length > 0) return Number(data.result[0].value[1])
    } catch {
      // It is not up yet.
    }
    await sleep(200)
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
