/**
 * A server for Prometheus to scrape: `/metrics` of one run, on this machine only.
 *
 * It listens on a loopback address and answers only to names of this machine, so that no page in a browser can read it
 * under a name of its own (DNS rebinding). To be scraped from elsewhere, serve `renderMetrics(run)` yourself, behind
 * whatever guards the application.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { checkKnown, invalidOption } from '../errors.ts'
import type { PipelineManager } from '../run/manager.ts'
import { CONTENT_TYPE, renderFamilies } from './render-metrics.ts'
import { RunMetrics } from './run-metrics.ts'

export interface MetricsServerOptions {
  /** 0: one that is free. */
  port: number
  /** A loopback address. Default '127.0.0.1'. */
  host?: '127.0.0.1' | '::1'
}

export interface MetricsServer extends AsyncDisposable {
  readonly port: number
  readonly url: string
  close(): Promise<void>
}

const HOSTS = ['127.0.0.1', '::1']
const NAMES = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Serves what the run counts at `/metrics`, until it is closed: also after the run has ended. Keeps no process alive.
 *
 * @throws MILLRACE_INVALID_OPTION, MILLRACE_UNKNOWN_OPTION; what listening fails with, as `EADDRINUSE`
 * @example
 * await using server = await serveMetrics(run, { port: 9464 })
 */
export async function serveMetrics(
  run: PipelineManager,
  options: MetricsServerOptions,
): Promise<MetricsServer> {
  checkKnown('serveMetrics', options, ['port', 'host'])
  const { port, host = '127.0.0.1' } = options
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw invalidOption('serveMetrics', 'port', 'an integer from 0 to 65,535', port)
  }
  if (!HOSTS.includes(host)) throw invalidOption('serveMetrics', 'host', `one of ${HOSTS.join(', ')}`, host)
  const metrics = RunMetrics.of(run)
  const server = createServer((request, response) => answer(metrics, request, response))
  server.unref()
  await listen(server, port, host)
  const { port: taken } = server.address() as AddressInfo
  const close = (): Promise<void> => closeServer(server)
  return {
    port: taken,
    url: `http://${host === '::1' ? '[::1]' : host}:${taken}/metrics`,
    close,
    [Symbol.asyncDispose]: close,
  }
}

function answer(metrics: RunMetrics, request: IncomingMessage, response: ServerResponse): void {
  const refusal = refusalOf(request)
  if (refusal !== undefined) {
    response.writeHead(refusal.status, { 'content-type': 'text/plain; charset=utf-8' })
    response.end(`${refusal.why}\n`)
    return
  }
  response.writeHead(200, { 'content-type': CONTENT_TYPE, 'x-content-type-options': 'nosniff' })
  response.end(request.method === 'HEAD' ? undefined : renderFamilies(metrics.read()))
}

function refusalOf({
  method,
  url = '',
  headers,
}: IncomingMessage): { status: number; why: string } | undefined {
  const name = headers.host?.replace(/:\d+$/, '').toLowerCase()
  if (name === undefined || !NAMES.has(name)) return { status: 421, why: 'this is another host' }
  if (url.split('?', 1)[0] !== '/metrics') return { status: 404, why: 'there is /metrics' }
  return method === 'GET' || method === 'HEAD' ? undefined : { status: 405, why: 'GET only' }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
