import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { DomainError } from '../../base/errors.ts'
import type { DeviceId } from '../../base/ids.ts'
import type { HostTerminal } from '../../jobs/host-contract.ts'
import type { Client } from '../../rpc/client.ts'
import type { peerContract, peerFilesContract, peerJobsContract, peerPortsContract, peerTerminalContract } from './peer-contract.ts'

/** Calls to one linked device, a client for each lane. */
export interface Peer {
  readonly device: DeviceId
  readonly control: Client<typeof peerContract>
  readonly tty: Client<typeof peerTerminalContract>
  readonly jobs: Client<typeof peerJobsContract>
  readonly ports: Client<typeof peerPortsContract>
  readonly files: Client<typeof peerFilesContract>
}

/** The device that something was asked of is not linked now. The code says which room asked (`terminal/device-away`, ...). */
export class DeviceAwayError extends DomainError {
  override readonly name = 'DeviceAwayError'
  readonly code: string

  constructor(code: string, device: string) {
    super(`device ${device.slice(0, 12)}… is not linked now; try again when Devices shows it as linked`)
    this.code = code
  }
}

/** Linked devices that can be asked. Filled by whoever makes peer sessions out of links. */
export class Peers implements Disposable {
  readonly #peers = new Map<string, Peer>()
  readonly #terminalChanged = new Emitter<{ device: DeviceId; terminal: HostTerminal }>()

  readonly #added = new Emitter<Peer>()

  readonly onDidAdd = this.#added.event
  readonly onDidChangeTerminal = this.#terminalChanged.event

  get all(): readonly Peer[] {
    return [...this.#peers.values()]
  }

  /** @throws DeviceAwayError with `code` */
  require(device: string, code: string): Peer {
    const peer = this.#peers.get(device)
    if (!peer) throw new DeviceAwayError(code, device)
    return peer
  }

  /** Linked; forgotten when disposed. */
  add(peer: Peer): Disposable {
    const owned = new DisposableStore()
    this.#peers.set(peer.device, peer)
    owned.defer(() => {
      if (this.#peers.get(peer.device) === peer) this.#peers.delete(peer.device)
    })
    owned.add(peer.control.onDidChangeTerminal((terminal) => this.#terminalChanged.fire({ device: peer.device, terminal })))
    this.#added.fire(peer)
    return owned
  }

  dispose(): void {
    this.#peers.clear()
    this.#terminalChanged.dispose()
    this.#added.dispose()
  }
}
