import { toBase58 } from '../../base/base58.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import type { DisplayId } from '../../base/ids.ts'
import type { RandomSource } from '../../base/random.ts'
import type { Wire } from '../../rpc/wire.ts'

/** Time for a display to hear why before its connection ends. */
export const GOODBYE_MS = 250

/**
 * One connected display: its name, whether it is unlocked, and what it holds open while it is. Owns the wire and everything
 * that was opened for it. A display that connects again is a new session.
 */
export class DisplaySession implements Disposable {
  readonly id: DisplayId
  readonly wire: Wire
  /** Names the cookie it came with; undefined for the command line. */
  readonly entrance: string | undefined
  /** Host and port its page was served at, as the server saw them; undefined for the command line. */
  readonly host: string | undefined
  /** Lives as long as the connection. */
  readonly owned = new DisposableStore()
  name = 'a display'
  handedOverTo: string | undefined
  /** Monotonic ms of the last touch it told us of. */
  lastInputMs = Number.NEGATIVE_INFINITY
  readonly #changed = new Emitter<void>()
  #unlocked: DisposableStore | undefined

  readonly onDidChange = this.#changed.event

  constructor(wire: Wire, random: RandomSource, entrance: string | undefined, host?: string) {
    this.entrance = entrance
    this.host = host
    this.id = toBase58(random.bytes(16)) as DisplayId
    this.wire = wire
    this.owned.defer(() => this.lock())
    wire.onDidClose(() => this.owned.dispose())
  }

  get isUnlocked(): boolean {
    return this.#unlocked !== undefined
  }

  unlock(): void {
    this.handedOverTo = undefined
    this.#unlocked ??= new DisposableStore()
    this.#changed.fire()
  }

  /** Closes everything that an unlocked display holds: documents, terminals. The connection stays for the lock screen. */
  lock(handedOverTo?: string): void {
    this.handedOverTo = handedOverTo
    const held = this.#unlocked
    if (!held) return
    this.#unlocked = undefined
    held.dispose()
    this.#changed.fire()
  }

  /** Ties something to this display being unlocked; for the command line, which has no lock of its own, to its connection. */
  hold<T extends Disposable>(held: T): T {
    if (this.#unlocked) this.#unlocked.add(held)
    else if (this.entrance === undefined) this.owned.add(held)
    else held.dispose()
    return held
  }

  /** Ends the connection with a stable code, e.g. `door/handed-over`. */
  end(reason: string): void {
    this.wire.close(reason)
  }

  dispose(): void {
    this.end('device/ending')
  }
}
