import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import type { Event } from '../base/emitter.ts'
import type { PersonId } from '../base/ids.ts'
import type { KeyValueStore } from '../base/key-value-store.ts'
import type { Logger } from '../base/logger.ts'
import type { RandomSource } from '../base/random.ts'
import type { Sealer } from '../base/sealer.ts'
import type { AuthorityStore } from '../identity/authority/authority-store.ts'
import type { Argon2Params, Crypto } from '../identity/crypto.ts'
import type { AnchorNetwork } from '../identity/ledger/anchor-network.ts'
import type { LedgerStore } from '../identity/ledger/ledger-store.ts'
import type { VaultStore } from '../identity/vault-store.ts'
import type { attemptsContract } from '../jobs/attempt-contract.ts'
import type { factsContract } from '../jobs/device-facts-contract.ts'
import type { filesProcessContract } from './files/files-process-contract.ts'
import type { hostContract } from '../jobs/host-contract.ts'
import type { EngineCall, EngineStreams } from '../jobs/engines/engine.ts'
import type { ShellDoor } from '../jobs/shell-door.ts'
import type { PortSockets } from '../jobs/port-socket.ts'
import type { tasksContract } from '../jobs/terminal-contract.ts'
import type { Client } from '../rpc/client.ts'
import type { EnvelopeLog } from '../sync/envelope-log.ts'
import type { LinkPlatform, OwnRendezvous } from '../sync/links.ts'
import type { Fetch } from './desk/page-probe.ts'
import type { SettingsStore } from './settings-service.ts'

/** What lies on disk behind the storage key; open while the device keys are. */
export interface DeviceStore extends Disposable {
  readonly log: EnvelopeLog
  readonly values: KeyValueStore
  /** Large values that nothing else rests on: what jobs wrote. */
  readonly outputs: KeyValueStore
  /** The authority log of a person, in tables of its own. */
  authority(person: PersonId): AuthorityStore
  /** The name a damaged store was given when it was set aside and a new one begun. */
  readonly setAside: string | undefined
  /** The same, found while running. */
  readonly onDidSetAside: Event<string>
}

/** Another process of this device, connected again whenever it is back. */
export interface ProcessConnection<C> extends Disposable {
  /** Waits a short while for a process that is being restarted. @throws DeviceError `device/process-away`  it does not come back in time */
  client(): Promise<C>
  /** A new connection: whatever was known of the process is to be asked again. */
  onDidConnect(listener: (client: C) => void): Disposable
}

/** What the host process serves. */
export type HostContract = typeof hostContract & typeof tasksContract & typeof factsContract & typeof attemptsContract
export type HostClient = Client<HostContract>
/** What the files process serves. */
export type FilesClient = Client<typeof filesProcessContract>

/** The platform, handed in (style guide R4, R5): main/daemon builds it for Node. */
export interface DeviceParts {
  readonly clock: Clock
  /** This machine woke from sleep. */
  readonly onDidWake: Event<void>
  readonly random: RandomSource
  readonly log: Logger
  readonly crypto: Crypto
  /** Work for new passphrases; measured on this machine when absent. */
  readonly argon2?: Argon2Params
  readonly vaultStore: VaultStore
  readonly settingsStore: SettingsStore
  readonly fetch: Fetch
  /** Speaks HTTP with engines of others. */
  readonly engineCall: EngineCall
  /** Their logs as they are written, and what they put somewhere to be fetched. */
  readonly engineStreams: EngineStreams
  readonly host: ProcessConnection<HostClient>
  readonly files: ProcessConnection<FilesClient>
  /** Listens on this machine's loopback for ports of jobs elsewhere. */
  readonly portSockets: Pick<PortSockets, 'listen'>
  /** Where hooked shells of this machine reach this device. */
  readonly shellDoor: ShellDoor
  /** Made anew when `lan` changes; disposed with the links over it. */
  createLinkPlatform(options: { readonly lan: boolean }): LinkPlatform & Disposable
  /** Only this local address is offered to peers now; for machines that have nothing but loopback. */
  bindAddress(): string | undefined
  /** This device's own rendezvous, reachable from the network. @throws RendezvousError `rendezvous/busy-port` */
  startRendezvous(port: number): Promise<OwnRendezvous & Disposable>
  /** Renames the (closed) store: it belongs to a person this device no longer works for. The next `openStore` begins an empty one. */
  putStoreAside(): void
  /** @throws StoreError */
  openStore(sealer: Sealer): DeviceStore
  /** The device's ledger, in a store of its own: it stays when the device joins another person. @throws StoreError */
  openLedger(sealer: Sealer): { readonly store: LedgerStore; readonly values: KeyValueStore } & Disposable
  /** Speaks with a Solana server, once it is called. */
  openAnchorNetwork(url: string): Promise<AnchorNetwork>
  /** `linux`, `darwin`, `win32`: what the device list says of this machine. */
  readonly platform: string
  readonly hostName: string
  readonly version: string
}
