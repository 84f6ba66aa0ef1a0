import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { CancelledError, errorMessage } from '../../base/errors.ts'
import { Emitter } from '../../base/emitter.ts'
import type { DeviceId, PersonId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import type { ContactLogs } from '../../identity/contacts/contact-logs.ts'
import type { DeviceList } from '../../identity/device-list.ts'
import type { LedgerRecorder } from '../../identity/ledger/ledger-event.ts'
import { LogGrantCheck } from '../../identity/log-grant-check.ts'
import type { HostTerminal } from '../../jobs/host-contract.ts'
import { JobError } from '../../jobs/job-error.ts'
import type { ByteChannel } from '../../rpc/channel.ts'
import type { CallContext } from '../../rpc/contract.ts'
import { DeviceError } from '../device-error.ts'
import type { HostClient, ProcessConnection } from '../device-parts.ts'
import type { LocalTerminals } from '../desk/local-terminals.ts'

/** Shells that the devices of one contact have here at once. */
export const MAX_CONTACT_SHELLS = 8
/** Shells opened for one contact within a minute: a person who works opens fewer, and each is said to the owner. */
export const MAX_OPENINGS_A_MINUTE = 20
const MINUTE_MS = 60_000
/** A timer as long as a grant may last is none; then it is looked again. */
const LONGEST_TIMER_MS = 24 * 3_600_000
const SHORTEST_TIMER_MS = 1_000

export interface ContactShellsOptions {
  readonly terminals: Pick<LocalTerminals, 'open' | 'attach' | 'end' | 'onDidChange'>
  readonly devices: DeviceList
  readonly self: DeviceId
  readonly logs: ContactLogs
  readonly ledger: LedgerRecorder
  readonly clock: Clock
  readonly log: Logger
}

/** A device of a contact, as its link proved it. */
export interface Guest {
  readonly person: PersonId
  readonly device: DeviceId
}

interface OpenShell extends Guest {
  /** As the host told it last. */
  info: HostTerminal
  readonly tab: string | undefined
  readonly owned: DisposableStore
}

interface Opening {
  readonly person: PersonId
  readonly tab: string | undefined
  /** Of all who wait for it; undefined: it cannot be cancelled. */
  readonly signals: (AbortSignal | undefined)[]
  readonly opened: Promise<HostTerminal>
}

export interface ShellRequest {
  readonly tab?: string | undefined
  readonly columns: number
  readonly rows: number
}

/**
 * Shells of contacts on this device (rule ID165): opened by the grant of a shell here, reached by that person's devices only, and
 * ended with the grant of the device that opened it, whether or not anybody is linked, with the parting, and with the desk.
 *
 * Owns them all: when this is disposed they end. What a device process that crashed left behind is ended by the next one
 * (`endLeftShells`). Knows nothing of links.
 */
export class ContactShells implements Disposable {
  readonly #options: ContactShellsOptions
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<Guest & { readonly terminal: HostTerminal }>())
  readonly #checks = new Map<PersonId, LogGrantCheck>()
  readonly #open = new Map<string, OpenShell>()
  /** Asked for and not open yet, by the tab that asks: they count as well, and a tab gets one. */
  readonly #opening = new Set<Opening>()
  /** When shells were last opened for a person, oldest first. */
  readonly #opened = new Map<PersonId, number[]>()
  /** Last words of shells that ended before the host's answer about them was here. */
  readonly #early = new Map<string, HostTerminal>()
  readonly onDidChange = this.#changed.event

  constructor(options: ContactShellsOptions) {
    this.#options = options
    this.#owned.add(options.terminals.onDidChange((terminal) => this.#handleChange(terminal)))
    this.#owned.defer(() => {
      for (const id of [...this.#open.keys()]) this.#end(id)
      for (const check of this.#checks.values()) check.dispose()
    })
  }

  /**
   * One that is cancelled before it is open is ended as soon as it is: the host would run it for nobody.
   *
   * @throws IdentityError `grant/refused`, DeviceError `contact/too-many-shells`, `contact/shells-too-fast`, JobError of the host
   */
  async open(guest: Guest, request: ShellRequest, signal?: AbortSignal): Promise<HostTerminal> {
    this.#require(guest)
    const { person } = guest
    const { tab } = request
    const known = tab === undefined ? undefined : [...this.#open.values()].find((one) => one.person === person && one.tab === tab)
    if (known) return known.info
    const waiting = [...this.#opening].filter((one) => one.person === person)
    const same = tab === undefined ? undefined : waiting.find((one) => one.tab === tab)
    if (same) {
      same.signals.push(signal)
      return same.opened
    }
    if (this.of(person).length + waiting.length >= MAX_CONTACT_SHELLS) {
      throw new DeviceError('contact/too-many-shells', `${MAX_CONTACT_SHELLS} shells of this person run here; end one, then try again`)
    }
    this.#countOpening(person)
    const signals = [signal]
    const opening = { person, tab, signals, opened: this.#spawn(guest, request, signals) }
    this.#opening.add(opening)
    try {
      return await opening.opened
    } finally {
      this.#opening.delete(opening)
      if (this.#opening.size === 0) this.#early.clear()
    }
  }

  /** @throws IdentityError `grant/refused`, JobError `terminal/unknown` */
  async attach(
    guest: Guest,
    request: { readonly terminalId: string; readonly columns: number; readonly rows: number },
    context: CallContext,
  ): Promise<{ readonly channel: ByteChannel; readonly terminal: HostTerminal }> {
    this.#find(guest, request.terminalId)
    const attached = await this.#options.terminals.attach(request, context)
    const watching = this.#checkOf(guest.person).watch(questionOf(guest, request.terminalId), () => attached.channel.dispose())
    attached.channel.onDidClose(() => watching.dispose())
    return attached
  }

  /** Those of a person, whichever of their devices opened them. @throws IdentityError `grant/refused` */
  list(guest: Guest): readonly HostTerminal[] {
    this.#require(guest)
    return this.of(guest.person).map(({ info }) => info)
  }

  /** @throws IdentityError `grant/refused`, JobError `terminal/unknown` */
  async end(guest: Guest, terminalId: string): Promise<void> {
    this.#find(guest, terminalId)
    await this.#options.terminals.end(terminalId)
  }

  /** Was it opened here, and does it run? */
  has(terminalId: string): boolean {
    return this.#open.has(terminalId)
  }

  /** All that run here of a person. */
  of(person: PersonId): readonly OpenShell[] {
    return [...this.#open.values()].filter((one) => one.person === person)
  }

  dispose(): void {
    this.#owned.dispose()
  }

  /** @throws DeviceError `contact/shells-too-fast`  (message says how long) */
  #countOpening(person: PersonId): void {
    const nowMs = this.#options.clock.monotonicMs()
    const opened = (this.#opened.get(person) ?? []).filter((atMs) => nowMs - atMs < MINUTE_MS)
    const [first = nowMs] = opened
    if (opened.length >= MAX_OPENINGS_A_MINUTE) {
      const waitSeconds = Math.ceil((first + MINUTE_MS - nowMs) / 1_000)
      const message = `${MAX_OPENINGS_A_MINUTE} shells were opened for this person here within a minute; try again in ${waitSeconds} s`
      throw new DeviceError('contact/shells-too-fast', message)
    }
    this.#opened.set(person, [...opened, nowMs])
  }

  async #spawn(guest: Guest, { tab, columns, rows }: ShellRequest, signals: Opening['signals']): Promise<HostTerminal> {
    const { terminals, ledger, clock } = this.#options
    // Neither folder nor program nor tab of theirs: a tab of this person's own would be answered with its terminal. Nor their signal:
    // a call that is cancelled is not waited for, and the host runs the shell all the same.
    const info = await terminals.open({ columns, rows, guest: { ...guest } })
    const { terminalId } = info
    const owned = new DisposableStore()
    const sinceMs = clock.monotonicMs()
    const told = { peer: guest.device, person: guest.person, shell: terminalId }
    this.#open.set(terminalId, { ...guest, info, tab, owned })
    ledger.record({ kind: 'shell-opened', ...told })
    owned.defer(() => {
      this.#open.delete(terminalId)
      ledger.record({ kind: 'shell-ended', ...told, forMs: Math.max(0, Math.round(clock.monotonicMs() - sinceMs)) })
    })
    const early = this.#early.get(terminalId)
    if (early) this.#handleChange(early)
    else if (this.#owned.isDisposed)
      this.#end(terminalId) // the desk closed meanwhile
    else {
      owned.add(this.#checkOf(guest.person).watch(questionOf(guest, terminalId), () => this.#end(terminalId)))
      this.#endInTime(guest, terminalId, owned)
    }
    this.#require(guest)
    if (signals.every((signal) => signal?.aborted)) {
      if (this.#open.has(terminalId)) this.#end(terminalId)
      throw new CancelledError()
    }
    return info
  }

  /** Ends it with the time of its grant by the clock that nobody sets, too: the other one can be set back. */
  #endInTime(guest: Guest, terminalId: string, owned: DisposableStore): void {
    const { clock } = this.#options
    const [beganMs, sinceMs] = [clock.nowMs(), clock.monotonicMs()]
    let timer: Disposable | undefined
    owned.defer(() => timer?.dispose())
    const look = () => {
      if (owned.isDisposed) return
      const nowMs = Math.max(clock.nowMs(), beganMs + clock.monotonicMs() - sinceMs)
      const leftMs = this.#untilMs(guest) - nowMs
      if (leftMs <= 0) this.#end(terminalId)
      else timer = clock.after(Math.min(Math.max(leftMs, SHORTEST_TIMER_MS), LONGEST_TIMER_MS), look)
    }
    look()
  }

  /** When the last of the grants that open a shell to that device ends. */
  #untilMs({ person, device }: Guest): number {
    const grants = this.#checkOf(person).grantsOf(device)
    return Math.max(...grants.map(({ grant }) => (grant.abilities.includes('shell') ? (grant.untilMs ?? 0) : 0)), 0)
  }

  #handleChange(terminal: HostTerminal): void {
    const shell = this.#open.get(terminal.terminalId)
    if (!shell) {
      if (terminal.guest && terminal.exit && this.#opening.size > 0) this.#early.set(terminal.terminalId, terminal)
      return
    }
    shell.info = terminal
    this.#changed.fire({ person: shell.person, device: shell.device, terminal })
    if (terminal.exit !== undefined) shell.owned.dispose()
  }

  /** In the middle of whatever it does. */
  #end(terminalId: string): void {
    const { terminals, log } = this.#options
    this.#open.get(terminalId)?.owned.dispose()
    void terminals.end(terminalId).catch((error: unknown) => log.warn("a contact's shell would not end", { why: errorMessage(error) }))
  }

  #require(guest: Guest): void {
    this.#checkOf(guest.person).require(questionOf(guest))
  }

  #find(guest: Guest, terminalId: string): OpenShell {
    this.#checkOf(guest.person).require(questionOf(guest, terminalId))
    const shell = this.#open.get(terminalId)
    if (shell?.person === guest.person) return shell
    throw JobError.unknownTerminal(terminalId)
  }

  /** One that outlives links and meetings: what runs is watched also while nobody is here. */
  #checkOf(person: PersonId): LogGrantCheck {
    let check = this.#checks.get(person)
    if (!check) {
      const { devices, self, clock, logs } = this.#options
      this.#checks.set(person, (check = new LogGrantCheck({ devices, self, clock, contact: { person, logs } })))
    }
    return check
  }
}

const questionOf = ({ device }: Guest, terminalId?: string) =>
  ({ device, ability: 'shell', ...(terminalId !== undefined && { target: terminalId }) }) as const

/**
 * Ends the shells of contacts that a device process before this one left in the host: nobody watches their grants any more.
 * @param isKnown  those that this process opened
 */
export function endLeftShells(host: ProcessConnection<HostClient>, isKnown: (terminalId: string) => boolean, log: Logger): Disposable {
  const endLeft = async (client: HostClient) => {
    const left = (await client.list({})).filter(({ guest, exit, terminalId }) => guest && !exit && !isKnown(terminalId))
    await Promise.all(left.map(({ terminalId }) => client.end({ terminalId })))
  }
  return host.onDidConnect(
    (client) =>
      void endLeft(client).catch((error: unknown) =>
        log.warn('shells of contacts may have been left running', { why: errorMessage(error) }),
      ),
  )
}
