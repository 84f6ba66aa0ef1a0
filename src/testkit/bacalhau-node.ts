import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { randomUUID } from 'node:crypto'
import { type WebSocket, WebSocketServer } from 'ws'
import type { FakeExecution } from './bacalhau-execution.ts'
import { BacalhauNetwork, type BacalhauFaults, ENDED, type FakeJob, Refused, STATES, until } from './bacalhau-network.ts'

/** Its own limit, in the narrowest reading. */
const MAX_BODY_BYTES = 10_000_000
/** What goes over a slow link goes in pieces of that. */
const LINK_PIECE_BYTES = 16 * 1024

/**
 * An orchestrator with one node, after Bacalhau's published API (v1 of 1.9) and source: it keeps to their shapes and refuses what
 * they refuse. Jobs really run, as processes of this machine: what it says of them is what came of that. Not Bacalhau: what differs
 * from it is a bug of the fake, and only the real one shows it.
 */
export class BacalhauNode {
  readonly network: BacalhauNetwork
  /** Each request, with its key; and which of them did not come whole. */
  readonly asked: { readonly line: string; readonly key: string | undefined }[] = []
  readonly #key: string | undefined
  readonly #engines: readonly string[]
  readonly #folder = mkdtempSync(path.join(os.tmpdir(), 'ew-bacalhau-'))
  readonly #api: Server
  readonly #results: Server
  readonly #sockets = new WebSocketServer({ noServer: true })
  readonly #open = new Set<WebSocket>()
  /** What goes over the link goes one after another. */
  #link: Promise<void> = Promise.resolve()

  private constructor({ key, engines = ['docker', 'wasm'] }: { readonly key?: string; readonly engines?: readonly string[] }) {
    this.#key = key
    this.#engines = engines
    this.network = new BacalhauNetwork(this.#folder, engines)
    this.#api = createServer((request, response) => void this.#answer(request, response))
    this.#api.on('upgrade', (request, socket, head) => {
      if (this.faults.down) return socket.destroy()
      this.#note(request)
      if (!this.#isAllowed(request)) return void socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n')
      this.#sockets.handleUpgrade(request, socket, head, (opened) => void this.#sendLog(opened, request))
    })
    this.#results = createServer((request, response) => {
      this.asked.push({ line: `results ${request.url}`, key: request.headers.authorization })
      if (this.faults.resultsDown) return void request.socket.destroy()
      if (this.faults.resultsRedirect !== undefined) return void response.writeHead(302, { location: this.faults.resultsRedirect }).end()
      if (this.faults.resultsGone) return void response.writeHead(404).end('404 page not found\n')
      void this.#send(response, this.faults.results ?? readFileSync(path.join(this.#folder, path.basename(request.url ?? ''))))
    })
  }

  /** @param how  `key`: asked for in each call; `engines`: what its node runs */
  static async start(how: { readonly key?: string; readonly engines?: readonly string[] } = {}): Promise<BacalhauNode> {
    const node = new BacalhauNode(how)
    for (const server of [node.#api, node.#results]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return node
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#api.address() as AddressInfo).port}`
  }

  get faults(): BacalhauFaults {
    return this.network.faults
  }

  async dispose(): Promise<void> {
    for (const job of [...this.network.jobs]) this.network.forget(job)
    for (const socket of this.#open) socket.terminate()
    for (const server of [this.#api, this.#results]) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #note({ method, url, headers }: IncomingMessage): void {
    this.asked.push({ line: `${method} ${url}`, key: headers.authorization })
  }

  #isAllowed({ headers, url }: IncomingMessage): boolean {
    return (
      this.#key === undefined || headers.authorization === `Bearer ${this.#key}` || /^\/api\/v1\/agent\/(alive|authconfig)$/.test(url ?? '')
    )
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#note(request)
    const { faults } = this
    if (faults.down) return void request.socket.destroy()
    if (faults.slowMs > 0) await new Promise((resolve) => setTimeout(resolve, faults.slowMs))
    const say = (status: number, body: object) =>
      void this.#send(response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' }), Buffer.from(JSON.stringify(body)))
    try {
      if (!this.#isAllowed(request))
        throw new Refused(401, 'Unauthorized', 'Request Unauthorized', 'Unauthorized principal. Event has been recorded.')
      const body = await bodyOf(request, (bytes) => this.#pass(bytes)).catch((error: unknown) => {
        if (!request.complete) this.asked.push({ line: `cut off: ${request.method} ${request.url}`, key: undefined })
        throw error
      })
      const answer = this.#route(request.method ?? '', new URL(request.url ?? '', this.url), body)
      if (faults.nonsense !== undefined) return void response.end(faults.nonsense)
      if (request.method === 'PUT' && faults.afterSubmit === 'nothing') return void request.socket.destroy()
      if (request.method === 'PUT') await until(() => faults.afterSubmit !== 'late')
      if (request.method === 'PUT' && faults.afterSubmit === '500') throw new Refused(500, 'InternalError', 'Internal server error')
      say(200, answer)
    } catch (error) {
      const { status, code, message, hint } = error instanceof Refused ? error : new Refused(500, 'InternalError', String(error))
      say(status, {
        Status: status,
        Message: message,
        RequestID: randomUUID(),
        Code: code,
        Component: 'Fake',
        ...(hint !== undefined && { Hint: hint }),
      })
    }
  }

  async #send(response: ServerResponse, bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length && this.faults.bytesPerSecond !== undefined && !response.destroyed; at += LINK_PIECE_BYTES) {
      const piece = bytes.subarray(at, at + LINK_PIECE_BYTES)
      await this.#pass(piece.length)
      response.write(piece)
      if (at + piece.length === bytes.length) return void response.end()
    }
    response.end(bytes)
  }

  /** So many bytes have gone over the link. */
  #pass(bytes: number): Promise<void> {
    const { bytesPerSecond } = this.faults
    if (bytesPerSecond === undefined) return Promise.resolve()
    this.#link = this.#link.then(() => new Promise((resolve) => setTimeout(resolve, (bytes / bytesPerSecond) * 1_000)))
    return this.#link
  }

  #route(method: string, { pathname, searchParams }: URL, body: string): object {
    const at = pathname.replace(/^\/api\/v1/, '')
    if (method === 'GET' && at === '/agent/alive') return { Status: 'OK' }
    if (method === 'GET' && at === '/agent/version')
      return { Major: '1', Minor: '9', GitVersion: 'v1.9.3-fake', GOOS: 'linux', GOARCH: 'amd64' }
    if (method === 'GET' && at === '/orchestrator/nodes') return { NextToken: '', Nodes: [this.#nodeState()] }
    if (method === 'PUT' && at === '/orchestrator/jobs') return this.network.put(body)
    const [, id, what = ''] = /^\/orchestrator\/jobs\/([^/]+)(?:\/(\w+))?$/.exec(at) ?? []
    if (id === undefined) throw new Refused(404, 'NotFound', 'The requested resource/URL was not found.')
    const job = this.network.find(decodeURIComponent(id), searchParams.get('namespace') ?? 'default')
    if (method === 'DELETE' && what === '') return this.network.stop(job, searchParams.get('reason') ?? '')
    if (method !== 'GET') throw new Refused(405, 'InternalError', 'Method Not Allowed')
    const executions = { NextToken: '', Items: [...job.executions, ...(this.faults.twice ? job.executions : [])].map(shownExecution) }
    if (what === '') return { Job: shownJob(job), ...(searchParams.get('include')?.includes('executions') && { Executions: executions }) }
    if (what === 'executions') return executions
    if (what === 'results') return { NextToken: '', Items: this.#resultsOf(job) }
    throw new Refused(404, 'NotFound', 'The requested resource/URL was not found.')
  }

  async #sendLog(socket: WebSocket, request: IncomingMessage): Promise<void> {
    this.#open.add(socket)
    socket.on('close', () => this.#open.delete(socket))
    const { pathname, searchParams } = new URL(request.url ?? '', this.url)
    const refuse = (error: string) => {
      socket.send(JSON.stringify({ error, value: { Type: 0, Line: '' } }))
      socket.close(1_000)
    }
    const id = decodeURIComponent(/\/jobs\/([^/]+)\/logs$/.exec(pathname)?.[1] ?? '')
    const namespace = searchParams.get('namespace') ?? 'default'
    const job = this.network.jobs.find((one) => (one.id === id || one.spec.Name === id) && one.spec.Namespace === namespace)
    if (!job) return refuse(`job not found: ${id}`)
    const wanted = searchParams.get('execution_id')
    const execution = wanted === null ? job.executions.at(-1) : job.executions.find((one) => one.id === wanted)
    if (!execution) return refuse(`no executions found for job ${id}`)
    if (job.spec.Tasks[0]?.Engine.Type === 'wasm') return refuse('timeout while waiting for execution logs')
    if (this.faults.logGoneAfterEnd && execution.isLogEnded) return refuse('no such container')
    const closesAfter = this.faults.closeLogAfter
    this.faults.closeLogAfter = undefined
    // It begins where the log does, unless only what comes is asked for; it ends with the log, or at once when that is not followed.
    let at = searchParams.get('tail') === 'true' ? execution.log.length : 0
    let sent = 0
    const send = () => {
      for (; at < execution.log.length && socket.readyState === socket.OPEN; at++) {
        if (this.faults.cutLogAfter !== undefined && sent++ >= this.faults.cutLogAfter) return socket.terminate()
        if (closesAfter !== undefined && sent++ >= closesAfter) return socket.close(1_000)
        socket.send(this.faults.nonsense ?? JSON.stringify({ value: execution.log[at] }))
      }
      if (execution.isLogEnded || searchParams.get('follow') !== 'true') socket.close(1_000)
    }
    execution.listeners.add(send)
    socket.on('close', () => execution.listeners.delete(send))
    send()
  }

  #resultsOf(job: FakeJob): object[] {
    const { port } = this.#results.address() as AddressInfo
    return this.network.resultsOf(job).map((name) => ({ Type: 'urlDownload', Params: { URL: `http://127.0.0.1:${port}/${name}` } }))
  }

  #nodeState(): object {
    const busy = this.network.jobs.filter(({ state }) => state === 'Running').length
    return {
      Info: {
        ...{ NodeID: 'n-fake', NodeType: 'Compute', Labels: {}, SupportedProtocols: ['ncl/v1'] },
        ComputeNodeInfo: {
          ...{ ExecutionEngines: this.#engines, Publishers: ['local', 'noop'], StorageSources: ['inline', 'urlDownload'] },
          ...{ MaxCapacity: { CPU: 3.2, Memory: 2 ** 33 }, QueueCapacity: {}, AvailableCapacity: busy >= 3 ? {} : { CPU: 3.2 - busy } },
          ...{
            RunningExecutions: busy,
            EnqueuedExecutions: this.network.jobs.filter(({ state }) => state === 'Queued').length,
            address: '127.0.0.1',
          },
        },
      },
      ...{ Membership: 'APPROVED', Connection: 'CONNECTED', ConnectionState: { Status: 'CONNECTED', LastError: '' } },
    }
  }
}

const shownJob = ({ id, spec, state, message, version }: FakeJob): object => ({
  ...{ ID: id, ...spec, State: { StateType: state, ...(message !== '' && { Message: message }) } },
  ...{ Version: version, Revision: 1, CreateTime: 1, ModifyTime: 1 },
})

const shownExecution = ({ id, jobId, createdNs, state, message, exitCode }: FakeExecution): object => ({
  ...{ ID: id, Namespace: 'default', JobID: jobId, NodeID: 'n-fake', CreateTime: createdNs, DesiredState: { StateType: 1 } },
  ComputeState: { StateType: state, ...(message !== '' && { Message: message }) },
  PublishedResult: null,
  RunOutput: ENDED.has(state) || state === STATES.publishing ? { Stdout: '', stderr: '', ExitCode: exitCode, ErrorMsg: '' } : null,
})

async function bodyOf(request: IncomingMessage, pass: (bytes: number) => Promise<void>): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > MAX_BODY_BYTES) throw new Refused(413, 'InternalError', 'Request Entity Too Large')
    parts.push(part)
    await pass(part.length)
  }
  return Buffer.concat(parts).toString()
}
