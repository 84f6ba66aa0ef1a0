import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { joinSocket, type PortSocket, type PortSockets } from '../jobs/port-socket.ts'
import type { Peers } from './peers.ts'

export interface PortForwardsOptions {
  readonly sockets: Pick<PortSockets, 'listen'>
  readonly peers: Peers
  readonly log: Logger
  readonly attempt: string
  readonly device: string
  /** Where ports over there can be reached here has changed. */
  readonly onDidChange: (forwards: readonly { readonly port: number; readonly here: number }[]) => void
}

/**
 * Ports of one attempt on a linked device, on this machine's loopback while it listens there (rule JB53): the same number if it is
 * free. Each connection is a channel on the ports lane; the grant is asked over there. Owns its listeners.
 */
export class PortForwards implements Disposable {
  readonly #options: PortForwardsOptions
  readonly #open = new Map<number, { here: number; listener: Disposable }>()
  readonly #owned = new DisposableStore()
  #wanted: readonly number[] = []
  #working: Promise<void> = Promise.resolve()

  constructor(options: PortForwardsOptions) {
    this.#options = options
  }

  /** What it listens on over there now. */
  follow(ports: readonly number[]): void {
    if (ports.join() === this.#wanted.join()) return
    this.#wanted = ports
    this.#working = this.#working.then(() => this.#settle())
  }

  dispose(): void {
    this.#owned.dispose()
    for (const { listener } of this.#open.values()) listener.dispose()
    this.#open.clear()
  }

  async #settle(): Promise<void> {
    const { sockets, log, onDidChange } = this.#options
    for (const [port, { listener }] of this.#open) {
      if (this.#wanted.includes(port)) continue
      listener.dispose()
      this.#open.delete(port)
    }
    for (const port of this.#wanted) {
      if (this.#open.has(port) || this.#owned.isDisposed) continue
      try {
        const listener = await sockets.listen(port, (socket) => void this.#join(port, socket))
        if (this.#owned.isDisposed) return listener.dispose()
        this.#open.set(port, { here: listener.port, listener })
      } catch (error) {
        log.warn('a port of a job cannot be reached from here', { port, why: errorMessage(error) })
      }
    }
    if (!this.#owned.isDisposed) onDidChange([...this.#open].map(([port, { here }]) => ({ port, here })))
  }

  async #join(port: number, socket: PortSocket): Promise<void> {
    const { peers, device, attempt, log } = this.#options
    socket.setPaused(true)
    let isGone = false
    socket.onDidClose(() => (isGone = true))
    try {
      const { ports } = peers.require(device, 'job/device-away')
      const { channel } = await ports.connectPort({ attempt, port })
      if (isGone) return ports.channel(channel).dispose()
      joinSocket(socket, ports.channel(channel))
      socket.setPaused(false)
    } catch (error) {
      log.debug('a connection to a job was refused', { port, why: errorMessage(error) })
      socket.dispose()
    }
  }
}
