import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Disposable } from '../../base/disposable.ts'
import { JobError } from '../../jobs/job-error.ts'
import type { PortSocket } from '../../jobs/port-socket.ts'
import { type Entry, enterNamespaces } from './enter-namespaces.ts'
import { NodePortSocket } from './node-port-sockets.ts'

/** Runs in the other network: connects as it is told, and hands the connection over. Ends with whoever started it. */
const CONNECTOR = `
const net = require('node:net')
process.on('disconnect', () => process.exit())
process.on('message', ({ id, port, host }) => {
  const socket = net.connect({ port, host, allowHalfOpen: true })
  socket.pause()
  socket.once('error', ({ message }) => process.send({ id, error: message }))
  socket.once('connect', () => process.send({ id }, socket, { keepOpen: false }))
})
`
/** How long it may take to begin; on a busy machine a process takes seconds. */
const PATIENCE_MS = 30_000

/**
 * Connections into the network of a sandbox, which has its own loopback: a program that is not shut in connects there and hands the open
 * connection to this process. Owns that program.
 */
export class NamespacePorts implements Disposable {
  readonly #child: ChildProcess
  readonly #entry: Entry
  readonly #waiting = new Map<number, { resolve(socket: PortSocket): void; reject(error: Error): void }>()
  #lastId = 0
  #hasEnded = false

  /** @param pid  a process of the sandbox */
  constructor(pid: number) {
    this.#entry = enterNamespaces(pid, ['net'], { last: false })
    const [file, ...words] = [...this.#entry.words, process.execPath, '-e', CONNECTOR]
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }
    this.#child = spawn(file as string, words, { cwd: '/', env, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    this.#child.on('message', (message, handle) => this.#take(message as { id: number; error?: string }, handle as Socket | undefined))
    this.#child.on('error', (error) => this.#fail(error.message))
    this.#child.on('exit', (code) => this.#fail(`the way into its network ended (${code})`))
  }

  /** Its program is gone (it may have been ended for want of memory): connections need another one. */
  get hasEnded(): boolean {
    return this.#hasEnded || !this.#child.connected
  }

  /** @throws JobError `job/no-port` */
  async connect(port: number): Promise<PortSocket> {
    return this.#connect(port, '127.0.0.1').catch(() => this.#connect(port, '::1'))
  }

  dispose(): void {
    this.#fail('it has ended')
    this.#child.removeAllListeners('exit')
    if (this.#child.connected) this.#child.disconnect()
    this.#child.kill('SIGKILL')
    this.#entry.close()
  }

  #connect(port: number, host: string): Promise<PortSocket> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(() => reject(noPort(port, 'no answer'))), PATIENCE_MS)
      const settle = (then: () => void) => {
        clearTimeout(timer)
        this.#waiting.delete(id)
        then()
      }
      this.#waiting.set(id, {
        resolve: (socket) => settle(() => resolve(socket)),
        reject: (error) => settle(() => reject(noPort(port, error.message))),
      })
      if (!this.#child.connected) return this.#waiting.get(id)?.reject(new Error('its network is gone'))
      this.#child.send({ id, port, host }, (error) => error && this.#fail(error.message))
    })
  }

  #take({ id, error }: { id: number; error?: string }, socket: Socket | undefined): void {
    const waiting = this.#waiting.get(id)
    if (!waiting || error !== undefined || !socket) {
      socket?.destroy()
      return waiting?.reject(new Error(error ?? 'no connection came'))
    }
    socket.allowHalfOpen = true
    waiting.resolve(new NodePortSocket(socket))
  }

  #fail(why: string): void {
    this.#hasEnded = true
    for (const { reject } of [...this.#waiting.values()]) reject(new Error(why))
  }
}

const noPort = (port: number, why: string) => new JobError('job/no-port', `nothing answers on port ${port} of that job (${why})`)
