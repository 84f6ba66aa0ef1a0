import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { errorMessage } from '../../base/errors.ts'
import type { DeviceId, PersonId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import type { LedgerRecorder } from '../../identity/ledger/ledger-event.ts'
import type { HostTerminal } from '../../jobs/host-contract.ts'
import type { LinkedContacts } from './linked-contacts.ts'

/** More than contacts let a person have open. The oldest counts as left when another comes. */
export const MAX_ENTERED = 64

export interface ShellsOnContactsOptions {
  readonly linked: Pick<LinkedContacts, 'find' | 'sessionOf'>
  readonly ledger: LedgerRecorder
  readonly clock: Clock
  readonly log: Logger
}

interface Entered {
  readonly peer: DeviceId
  readonly person: PersonId
  readonly shell: string
  readonly sinceMs: number
}

/**
 * Shells that this device opened on devices of contacts, for its own ledger (rule ID167): from the answer of the other device until it
 * says that one ended, offers no shell any more, or lists it no more after a link that broke; until the parting, or the desk closes.
 * Knows of each only what was said: whoever runs it keeps a record of their own.
 */
export class ShellsOnContacts implements Disposable {
  readonly #options: ShellsOnContactsOptions
  readonly #owned = new DisposableStore()
  readonly #entered = new Map<string, Entered>()

  constructor(options: ShellsOnContactsOptions) {
    this.#options = options
    this.#owned.defer(() => {
      for (const key of [...this.#entered.keys()]) this.#leave(key)
    })
  }

  /** That device answered with a shell which this one had asked for. */
  enter(device: string, { terminalId: shell, exit }: HostTerminal): void {
    const { linked, ledger, clock } = this.#options
    const peer = device as DeviceId
    const key = keyOf(peer, shell)
    const session = linked.find(peer)
    if (!session || this.#owned.isDisposed || this.#entered.has(key)) return
    const { person } = session
    const [oldest] = this.#entered.keys()
    if (oldest !== undefined && this.#entered.size >= MAX_ENTERED) this.#leave(oldest)
    this.#entered.set(key, { peer, person, shell, sinceMs: clock.monotonicMs() })
    ledger.record({ kind: 'shell-entered', peer, person, shell })
    if (exit) this.#leave(key)
  }

  handleChange(device: DeviceId, { terminalId, exit }: HostTerminal): void {
    if (exit) this.#leave(keyOf(device, terminalId))
  }

  /** What is offered, or who is a contact, has changed. */
  settle(isContact: (person: PersonId) => boolean): void {
    for (const [key, { person, peer }] of this.#entered) {
      const session = this.#options.linked.sessionOf(person, peer)
      const isOver = session?.hasMet === true && !session.offers.some(({ kind }) => kind === 'shell')
      if (isOver || !isContact(person)) this.#leave(key)
    }
  }

  /** It is linked again: some may have ended meanwhile. */
  async lookAgain(device: DeviceId): Promise<void> {
    const before = [...this.#entered].filter(([, { peer }]) => peer === device)
    const session = this.#options.linked.find(device)
    // Asked without an offer it would end the link.
    if (before.length === 0 || !session?.offers.some(({ kind }) => kind === 'shell')) return
    try {
      const there = new Set((await session.shells.listShells({})).flatMap(({ terminalId, exit }) => (exit ? [] : [terminalId])))
      for (const [key, { shell }] of before) if (!there.has(shell)) this.#leave(key)
    } catch (error) {
      this.#options.log.debug('which shells run on a device of a contact is not known', { peer: device, why: errorMessage(error) })
    }
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #leave(key: string): void {
    const entered = this.#entered.get(key)
    if (!entered) return
    const { ledger, clock } = this.#options
    const { sinceMs, ...what } = entered
    this.#entered.delete(key)
    ledger.record({ kind: 'shell-left', ...what, forMs: Math.max(0, Math.round(clock.monotonicMs() - sinceMs)) })
  }
}

const keyOf = (device: DeviceId, shell: string): string => `${device} ${shell}`
