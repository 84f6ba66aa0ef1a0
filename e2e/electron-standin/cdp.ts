import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import WebSocket from 'ws'

type Listener = (method: string, params: any) => void // oxlint-disable-line typescript/no-explicit-any -- the protocol's own shapes

/** One headless Chromium, spoken to over its DevTools protocol. Owns the process and its profile folder. */
export class Cdp {
  readonly endpoint: string
  readonly profile: string
  readonly #socket: WebSocket
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, { resolve: (value: any) => void; reject: (error: Error) => void; method: string }>() // oxlint-disable-line typescript/no-explicit-any
  readonly #listeners = new Map<string, Set<Listener>>()
  #lastId = 0

  private constructor(socket: WebSocket, child: ChildProcess, profile: string, endpoint: string) {
    this.#socket = socket
    this.#process = child
    this.profile = profile
    this.endpoint = endpoint
    socket.on('message', (data) => this.#receive(JSON.parse(String(data))))
  }

  static async launch(program: string): Promise<Cdp> {
    const profile = mkdtempSync(path.join(os.tmpdir(), 'elsewhere-standin-'))
    const args = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']
    args.push(
      '--disable-component-update',
      '--disable-sync',
      '--no-startup-window',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
    )
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    const endpoint = await new Promise<string>((resolve, reject) => {
      let text = ''
      child.stderr?.on('data', (chunk) => {
        text += chunk
        const found = /DevTools listening on (ws:\S+)/.exec(text)?.[1]
        if (found) resolve(found)
      })
      child.on('exit', (code) => reject(new Error(`Chromium ended with ${code}: ${text.slice(-400)}`)))
    })
    const socket = new WebSocket(endpoint, { perMessageDeflate: false, maxPayload: 2 ** 28 })
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => resolve())
      socket.once('error', reject)
    })
    return new Cdp(socket, child, profile, endpoint)
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- each method answers in its own shape
  send(method: string, params: object = {}, sessionId?: string): Promise<any> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      this.#waiting.set(id, { resolve, reject, method })
      this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) }))
    })
  }

  /** @param sessionId  '' hears the browser itself */
  on(sessionId: string, listener: Listener): void {
    const listeners = this.#listeners.get(sessionId) ?? new Set()
    listeners.add(listener)
    this.#listeners.set(sessionId, listeners)
  }

  async close(): Promise<void> {
    this.#socket.close()
    const ended = new Promise<void>((resolve) => this.#process.once('exit', () => resolve()))
    this.#process.kill('SIGKILL')
    await ended
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- parsed JSON of the protocol
  #receive(message: any): void {
    if (message.id !== undefined) {
      const waiting = this.#waiting.get(message.id)
      this.#waiting.delete(message.id)
      if (message.error) waiting?.reject(new Error(`${waiting.method}: ${message.error.message}`))
      else waiting?.resolve(message.result)
      return
    }
    for (const listener of this.#listeners.get(message.sessionId ?? '') ?? []) listener(message.method, message.params)
  }
}
