import { type Disposable, toDisposable } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import type { DeviceId } from '../base/ids.ts'
import type { SignalNote, Signaling } from '../sync/signal-note.ts'

/** Changes a note under way: how WebRTC is driven through a proxy, and how somebody in the middle would lie. */
export type NoteHook = (note: SignalNote, from: DeviceId, to: DeviceId) => SignalNote | undefined

/** A place where devices of one test leave each other notes. Notes arrive in a microtask, in order. */
export class MemorySignaling {
  readonly #ends = new Map<DeviceId, MemoryEnd>()
  hook: NoteHook = (note) => note
  isDown = false

  join(device: DeviceId): Signaling & Disposable {
    const end = new MemoryEnd(
      device,
      (to, note) => this.#carry(device, to, note),
      () => this.#leave(device),
    )
    const others = [...this.#ends.values()]
    this.#ends.set(device, end)
    for (const other of others) {
      other.see(device)
      end.see(other.device)
    }
    return end
  }

  #leave(device: DeviceId): void {
    this.#ends.delete(device)
    for (const other of this.#ends.values()) other.peers.delete(device)
  }

  #carry(from: DeviceId, to: DeviceId, note: SignalNote): boolean {
    if (this.isDown || !this.#ends.has(to)) return false
    const changed = this.hook(structuredClone(note), from, to)
    if (changed !== undefined) queueMicrotask(() => this.#ends.get(to)?.receive(from, changed))
    return true
  }
}

class MemoryEnd implements Signaling, Disposable {
  readonly device: DeviceId
  readonly peers = new Set<DeviceId>()
  readonly #received = new Emitter<{ from: DeviceId; note: SignalNote }>()
  readonly #seen = new Emitter<DeviceId>()
  readonly onDidReceive = this.#received.event
  readonly onDidSeePeer = this.#seen.event
  readonly send: (to: DeviceId, note: SignalNote) => boolean
  readonly #leaving: Disposable

  constructor(device: DeviceId, send: (to: DeviceId, note: SignalNote) => boolean, leave: () => void) {
    this.device = device
    this.send = send
    this.#leaving = toDisposable(leave)
  }

  see(peer: DeviceId): void {
    this.peers.add(peer)
    queueMicrotask(() => this.#seen.fire(peer))
  }

  receive(from: DeviceId, note: SignalNote): void {
    this.#received.fire({ from, note })
  }

  dispose(): void {
    this.#leaving.dispose()
  }
}
