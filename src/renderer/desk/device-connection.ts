import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { type Client, createClient } from '../../rpc/client.ts'
import { WebSocketTransport } from '../../rpc/web-socket-transport.ts'
import { backoffMs } from './backoff.ts'
import { type DisplayContract, displayContract } from '../../device/display-contract.ts'

export type DeviceClient = Client<DisplayContract>

export type ConnectionState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open'; readonly client: DeviceClient }
  /** Lost or never reached; tries again by itself. */
  | { readonly kind: 'away'; readonly sinceMs: number; readonly attempts: number }

/** A connection attempt that got no answer in this time is given up: the device is on the same machine. */
const CONNECT_TIMEOUT_MS = 4_000

/**
 * This display's one connection to its device. Reconnects until disposed; each connection has a client of its own, so
 * that nobody awaits an answer across a break. Knows nothing of locks or documents.
 */
export class DeviceConnection implements Disposable {
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<ConnectionState>())
  readonly #url: string
  readonly #clock: Clock
  #state: ConnectionState = { kind: 'connecting' }
  #attempts = 0
  #awaySinceMs = 0
  #retry: Disposable | undefined
  /** Ends the attempt that is under way. */
  #giveUp: (() => void) | undefined

  readonly onDidChange = this.#changed.event

  constructor(url: string, clock: Clock) {
    this.#url = url
    this.#clock = clock
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** Connects now, without waiting for the next try. */
  connect(): void {
    if (this.#owned.isDisposed || this.#state.kind === 'open') return
    this.#retry?.dispose()
    this.#giveUp?.() // one at a time: two that open would be two displays to the device
    const socket = new WebSocket(this.#url)
    const trying = this.#owned.add(new DisposableStore())
    const giveUp = () => {
      this.#owned.release(trying)
      socket.close()
    }
    const fail = () => {
      giveUp()
      this.#handleLoss()
    }
    this.#giveUp = giveUp
    trying.add(this.#clock.after(CONNECT_TIMEOUT_MS, fail))
    socket.addEventListener('close', fail, { once: true })
    trying.defer(() => socket.removeEventListener('close', fail))
    socket.addEventListener('open', () => {
      if (trying.isDisposed) return
      this.#owned.release(trying)
      this.#giveUp = undefined
      const client = createClient(displayContract, new WebSocketTransport(socket))
      this.#owned.add(client)
      client.onDidClose(() => {
        this.#owned.release(client)
        this.#handleLoss()
      })
      this.#attempts = 0
      this.#awaySinceMs = 0
      this.#set({ kind: 'open', client })
    })
  }

  dispose(): void {
    this.#retry?.dispose()
    this.#owned.dispose()
  }

  #handleLoss(): void {
    if (this.#owned.isDisposed) return
    this.#awaySinceMs ||= this.#clock.nowMs()
    this.#retry = this.#clock.after(backoffMs(this.#attempts++), () => this.connect())
    this.#set({ kind: 'away', sinceMs: this.#awaySinceMs, attempts: this.#attempts })
  }

  #set(state: ConnectionState): void {
    this.#state = state
    this.#changed.fire(state)
  }
}

/** Where the device that served this page listens for displays. */
export const deviceSocketUrl = (at: { readonly protocol: string; readonly host: string }): string =>
  `${at.protocol === 'https:' ? 'wss:' : 'ws:'}//${at.host}/display`
