import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { errorMessage } from '../../base/errors.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { LedgerRecorder } from '../../identity/ledger/ledger-event.ts'
import { joinSocket, type PortSocket, type PortSockets } from '../../jobs/port-socket.ts'
import type { Peers } from '../links/peers.ts'

export interface PortForwardsOptions {
  readonly sockets: Pick<PortSockets, 'listen'>
  readonly peers: Peers
  readonly clock: Clock
  readonly ledger: LedgerRecorder
  readonly log: Logger
  readonly job: string
  readonly attempt: string
  readonly device: string
  /** Where ports over there can be reached here has changed. */
  readonly onDidChange: (forwards: readonly { readonly port: number; readonly here: number }[]) => void
}

/**
 * Ports of one attempt on a linked device, on this machine's loopback while it listens there (rule JB53): the same number if it is
 * free. Each connection is a channel on the ports lane; the grant is asked over there. The ledger hears when one is opened and closed.
 * Owns its listeners.
 */
export class PortForwards implements Disposable {
  readonly #options: PortForwardsOptions
  readonly #open = new Map<number, { here: number; listener: Disposable; sinceMs: number }>()
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
    for (const port of [...this.#open.keys()]) this.#close(port)
  }

  #close(port: number): void {
    const open = this.#open.get(port)
    if (!open) return
    const { ledger, clock } = this.#options
    open.listener.dispose()
    this.#open.delete(port)
    const forMs = Math.max(0, Math.round(clock.monotonicMs() - open.sinceMs))
    ledger.record({ kind: 'port-ended', ...this.#what(port, open.here), forMs })
  }

  #what(port: number, here: number) {
    const { device: peer, job, attempt } = this.#options
    return { peer, port, here, job, attempt }
  }

  async #settle(): Promise<void> {
    const { sockets, log, ledger, clock, onDidChange } = this.#options
    for (const port of [...this.#open.keys()]) if (!this.#wanted.includes(port)) this.#close(port)
    for (const port of this.#wanted) {
      if (this.#open.has(port) || this.#owned.isDisposed) continue
      try {
        const listener = await sockets.listen(port, (socket) => void this.#join(port, socket))
        if (this.#owned.isDisposed) return listener.dispose()
        this.#open.set(port, { here: listener.port, listener, sinceMs: clock.monotonicMs() })
        ledger.record({ kind: 'port-opened', ...this.#what(port, listener.port) })
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
