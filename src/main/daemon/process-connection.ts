import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { DeviceError } from '../../device/device-error.ts'
import type { ProcessConnection } from '../../device/device-parts.ts'
import { connectUnixSocket } from '../../platform/node/unix-socket-transport.ts'
import { type Client, createClient } from '../../rpc/client.ts'
import type { Contract } from '../../rpc/contract.ts'

/** The first tries come quickly: the supervisor restarts a process after 200 ms. */
const FIRST_RETRY_MS = 100
const MAX_RETRY_MS = 2_000
/** How long a call waits for a process that is being restarted before it says so. */
const PATIENCE_MS = 5_000

/** A client of another process of this device, connected again whenever its socket is back. */
export class SocketConnection<C extends Contract> implements ProcessConnection<Client<C>> {
  readonly #name: string
  readonly #path: string
  readonly #contract: C
  readonly #clock: Clock
  readonly #owned = new DisposableStore()
  readonly #connected = this.#owned.add(new Emitter<Client<C>>())
  #client: Client<C> | undefined
  #retryMs = FIRST_RETRY_MS

  constructor(name: string, path: string, contract: C, clock: Clock) {
    this.#name = name
    this.#path = path
    this.#contract = contract
    this.#clock = clock
    void this.#connect()
  }

  onDidConnect(listener: (client: Client<C>) => void): Disposable {
    if (this.#client) listener(this.#client)
    return this.#connected.event(listener)
  }

  client(): Promise<Client<C>> {
    if (this.#client) return Promise.resolve(this.#client)
    return new Promise((resolve, reject) => {
      const waiting = new DisposableStore()
      const message = `the ${this.#name} process of this device does not answer; it is being started again, try once more in a moment`
      waiting.add(
        this.#clock.after(PATIENCE_MS, () => {
          waiting.dispose()
          reject(new DeviceError('device/process-away', message))
        }),
      )
      waiting.add(
        this.#connected.event((client) => {
          waiting.dispose()
          resolve(client)
        }),
      )
    })
  }

  dispose(): void {
    this.#owned.dispose()
    this.#client?.dispose()
  }

  async #connect(): Promise<void> {
    if (this.#owned.isDisposed) return
    try {
      const client = createClient(this.#contract, await connectUnixSocket(this.#path))
      if (this.#owned.isDisposed) return client.dispose()
      this.#client = client
      this.#retryMs = FIRST_RETRY_MS
      client.onDidClose(() => {
        this.#client = undefined
        this.#retry()
      })
      this.#connected.fire(client)
    } catch {
      this.#retry() // not there yet, or being restarted
    }
  }

  #retry(): void {
    if (this.#owned.isDisposed) return
    const timer = this.#clock.after(this.#retryMs, () => {
      this.#owned.release(timer)
      void this.#connect()
    })
    this.#owned.add(timer)
    this.#retryMs = Math.min(2 * this.#retryMs, MAX_RETRY_MS)
  }
}
