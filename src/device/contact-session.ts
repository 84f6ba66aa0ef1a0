import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import type { Clock } from '../base/clock.ts'
import type { PersonId } from '../base/ids.ts'
import type { KeyValueStore } from '../base/key-value-store.ts'
import type { Logger } from '../base/logger.ts'
import { HeadsHeard } from '../identity/authority/heads-heard.ts'
import type { ContactLogs } from '../identity/contacts/contact-logs.ts'
import type { DeviceList } from '../identity/device-list.ts'
import type { LedgerRecorder } from '../identity/ledger/ledger-event.ts'
import type { LogGrantCheck } from '../identity/log-grant-check.ts'
import type { ByteChannel } from '../rpc/channel.ts'
import { type Client, createClient } from '../rpc/client.ts'
import { LaneTransport, type MessageLane } from '../rpc/lane-transport.ts'
import { pipeChannels } from '../rpc/pipe-channels.ts'
import { serve } from '../rpc/serve.ts'
import { Wire } from '../rpc/wire.ts'
import type { LaneName, Link } from '../sync/lane.ts'
import { AuthorityExchange } from './authority-exchange.ts'
import { contactContract, contactFilesContract, type ContactOfferRow, contactPortsContract } from './contact-contract.ts'
import { contactFilesHandlers, type ContactFilesOptions } from './contact-files.ts'
import { PortAccount } from './port-account.ts'

/** Ports of jobs, for whoever was granted one. */
export interface SharedPorts {
  listensOn(port: number): boolean
  /** @throws JobError `job/no-port`; DeviceAwayError `job/device-away` */
  connectPort(port: number, signal: AbortSignal): Promise<ByteChannel>
}

export interface ContactSessionOptions {
  readonly person: PersonId
  readonly devices: DeviceList
  readonly logs: ContactLogs
  readonly values: KeyValueStore
  readonly ledger: LedgerRecorder
  /** What is granted to that person's devices here. */
  readonly grants: LogGrantCheck
  readonly ports: SharedPorts
  readonly files: ContactFilesOptions['files']
  readonly clock: Clock
  readonly log: Logger
  /** What the peer offers has changed. */
  readonly onDidChangeOffers: () => void
}

/** Lanes that no grant to a contact opens. */
const NEVER: readonly LaneName[] = ['session', 'tty', 'jobs']
/** What opens the others. */
const OPENED_BY = { ports: 'ports:share', files: 'files:read' } as const
type GrantedLane = keyof typeof OPENED_BY

/**
 * What this device and one of a contact's say to each other: both logs, what is offered, and what a grant opens. A byte on a lane
 * that no grant opened ends the link (rule ID154). Lives as long as the link.
 */
export class ContactSession implements Disposable {
  readonly #options: ContactSessionOptions
  readonly #link: Link
  readonly #owned = new DisposableStore()
  readonly #authority: AuthorityExchange
  readonly #control: Client<typeof contactContract>
  readonly #ports: Client<typeof contactPortsContract>
  readonly #offersChanged = this.#owned.add(new Emitter<{ offers: ContactOfferRow[] }>())
  readonly #files: Client<typeof contactFilesContract>
  readonly #openLanes = new Set<GrantedLane>()
  #offers: readonly ContactOfferRow[] = []
  /** What this peer says is taken one after another. */
  #last: Promise<void> = Promise.resolve()

  constructor(link: Link, options: ContactSessionOptions) {
    this.#link = link
    this.#options = options
    const { person, devices, logs, values, log, grants } = options
    this.#authority = new AuthorityExchange({
      devices: {
        onDidTake: (listener) => devices.onDidTake(listener),
        get operationCount() {
          return devices.operationCount
        },
        operationsFor: (question, maxBytes) => devices.operationsFor(question, maxBytes),
        get landmarks() {
          return logs.of(person)?.landmarks() ?? []
        },
        takeOperations: (operations) => ({ changed: true, ...logs.take(person, operations) }),
      },
      heard: new HeadsHeard(values),
      peer: link.peer,
      report: ({ kind }) => log.warn("a contact's log is not what it was", { person, peer: link.peer, kind }),
    })
    this.#authority.hearProved(link.peerHead)
    for (const lane of NEVER) this.#owned.add(link.lane(lane).onDidReceive(() => this.#refuse(lane)))
    const control = this.#wire(link.lane('control'), 'control')
    const ports = this.#wire(this.#guarded('ports'), 'ports')
    const files = this.#wire(this.#guarded('files'), 'files')
    this.#serve(control, ports, files)
    this.#control = createClient(contactContract, control)
    this.#ports = createClient(contactPortsContract, ports)
    this.#files = createClient(contactFilesContract, files)
    const tellOffers = () => this.#offersChanged.fire({ offers: this.#ownOffers() })
    this.#owned.add(devices.onDidChange(tellOffers))
    this.#owned.add(grants.onDidEnd(tellOffers))
    this.#owned.add(
      this.#control.onDidTakeOperations((news) =>
        this.#inTurn(async () => {
          if (this.#authority.take(news)) await this.#authority.pull(this.#control)
        }),
      ),
    )
    this.#owned.add(this.#control.onDidChangeOffers(({ offers }) => this.#setOffers(offers)))
    this.#owned.add(link.onDidClose(() => this.dispose()))
  }

  /** Has the peer said what it offers? */
  hasMet = false

  /** What the peer offers this device. */
  get offers(): readonly ContactOfferRow[] {
    return this.#offers
  }

  /** Hears what is new. Call once. */
  async meet(): Promise<void> {
    await this.#authority.pull(this.#control)
    this.#setOffers((await this.#control.listOffers({})).offers)
  }

  /** A connection to a port that the peer offers. @throws whatever the peer refuses with */
  async connectPort(port: number): Promise<ByteChannel> {
    this.#openLanes.add('ports') // its answers are no fault
    return this.#ports.channel((await this.#ports.connectPort({ port })).channel)
  }

  /** Reads what the peer shares of its person's datasets. */
  get files(): Client<typeof contactFilesContract> {
    this.#openLanes.add('files')
    return this.#files
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #serve(control: Wire, ports: Wire, files: Wire): void {
    const { grants, ledger, clock, log } = this.#options
    const device = this.#link.peer
    const allow = () => !this.#owned.isDisposed
    const options = { allow, onBug: (error: unknown, name: string) => log.error("a call of a contact's device failed", { name, error }) }
    this.#owned.add(
      serve(
        contactContract,
        {
          pullAuthority: (input) => this.#authority.answer(input),
          onDidTakeOperations: this.#authority.onDidTake,
          listOffers: () => ({ offers: this.#ownOffers() }),
          onDidChangeOffers: this.#offersChanged.event,
        },
        control,
        options,
      ),
    )
    const account = this.#owned.add(new PortAccount(ledger, clock))
    this.#owned.add(
      serve(
        contactPortsContract,
        {
          connectPort: async ({ port }, context) => {
            const question = { device, ability: 'ports:share', port, target: String(port) } as const
            grants.require(question)
            const near = await this.#options.ports.connectPort(port, context.signal)
            if (!grants.allows(question)) {
              near.dispose()
              grants.require(question)
            }
            let channel: ReturnType<typeof context.openChannel>
            try {
              channel = context.openChannel()
            } catch (error) {
              near.dispose()
              throw error
            }
            pipeChannels(near, channel)
            const watching = grants.watch(question, () => channel.dispose())
            const counted = account.connect(device, undefined, port)
            channel.onDidClose(() => {
              watching.dispose()
              counted.dispose()
            })
            return { channel: channel.id }
          },
        },
        ports,
        options,
      ),
    )
    const handlers = contactFilesHandlers({ device, grants, files: this.#options.files })
    this.#owned.add(serve(contactFilesContract, handlers, files, options))
  }

  #ownOffers(): ContactOfferRow[] {
    const { grants, ports } = this.#options
    return grants.grantsOf(this.#link.peer).flatMap(({ grant: { target, abilities, untilMs } }): ContactOfferRow[] => {
      const until = untilMs === undefined ? {} : { untilMs }
      if (target.kind === 'dataset' && abilities.includes('files:read'))
        return [{ kind: 'dataset' as const, dataset: target.dataset, ...until }]
      if (target.kind !== 'port' || !abilities.includes('ports:share')) return []
      return [{ kind: 'port' as const, port: target.port, isOpen: ports.listensOn(target.port), ...until }]
    })
  }

  #setOffers(offers: readonly ContactOfferRow[]): void {
    this.hasMet = true
    this.#offers = offers
    this.#options.onDidChangeOffers()
  }

  #wire(lane: MessageLane, name: LaneName): Wire {
    const fault = (reason: string) =>
      this.#link.closeForFault(reason, `device ${this.#link.peer} broke the protocol of the ${name} lane (${reason})`)
    return this.#owned.add(new Wire(new LaneTransport(lane, fault)))
  }

  /** The lane, while a grant opens it to the peer or this device itself asks there. Once open it stays so: each call asks again. */
  #guarded(name: GrantedLane): MessageLane {
    const lane = this.#link.lane(name)
    const isOpen = () => {
      if (this.#openLanes.has(name)) return true
      const isGranted = this.#options.grants.grantsOf(this.#link.peer).some(({ grant }) => grant.abilities.includes(OPENED_BY[name]))
      if (isGranted) this.#openLanes.add(name)
      return isGranted
    }
    return {
      send: (message) => lane.send(message),
      get bufferedBytes() {
        return lane.bufferedBytes
      },
      onDidReceive: (listener) => lane.onDidReceive((message) => (isOpen() ? listener(message) : this.#refuse(name))),
      onDidClose: lane.onDidClose,
      dispose: () => lane.dispose(),
    }
  }

  #refuse(lane: LaneName): void {
    this.#link.closeForFault(
      'contact/lane-refused',
      `device ${this.#link.peer} of a contact used the ${lane} lane, which nothing opens to it`,
    )
  }

  #inTurn(take: () => Promise<void>): void {
    this.#last = this.#last.then(async () => {
      if (this.#owned.isDisposed) return
      try {
        await take()
      } catch (error) {
        const [code, why] = [errorCode(error), errorMessage(error)]
        this.#options.log.warn("something a contact's device said cannot be used", { peer: this.#link.peer, code, why })
        if (/malformed/.test(code)) this.#link.closeForFault(code, why)
      }
    })
  }
}
