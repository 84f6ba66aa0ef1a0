import type { Disposable } from '../base/disposable.ts'
import type { Event } from '../base/emitter.ts'

/** Something on the LAN that carries one of our tags. */
export interface LanFinding {
  /** 16 hex digits (meeting-keys.ts); never a name. */
  readonly tag: string
  /** ws://HOST:PORT/ of that device's rendezvous. */
  readonly url: string
}

/** Finds rendezvous on the local network and makes ours findable. Implemented over mDNS in platform/node. */
export interface LanDiscovery extends Disposable {
  /** These tags, and no others, are announced from now on. Without a port nothing is. */
  announce(tags: readonly string[], port: number | undefined): void
  /** Asks the network now; answers come through onDidFind. */
  query(): void
  /** Also what other people's devices announce: the listener keeps what it knows. */
  readonly onDidFind: Event<LanFinding>
}
