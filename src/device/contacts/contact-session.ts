import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { Clock } from '../../base/clock.ts'
import type { PersonId } from '../../base/ids.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'
import type { Logger } from '../../base/logger.ts'
import { HeadsHeard } from '../../identity/authority/heads-heard.ts'
import type { ContactLogs } from '../../identity/contacts/contact-logs.ts'
import { type ContactOfferRow, MAX_OFFERS } from '../../identity/contacts-contract.ts'
import type { DeviceList } from '../../identity/device-list.ts'
import type { LedgerRecorder } from '../../identity/ledger/ledger-event.ts'
import { ProgramReleases } from '../../identity/programs/program-releases.ts'
import type { ProgramId } from '../../identity/authority/program-id.ts'
import type { LogGrantCheck } from '../../identity/log-grant-check.ts'
import type { HostTerminal } from '../../jobs/host-contract.ts'
import type { ByteChannel } from '../../rpc/channel.ts'
import { type Client, createClient } from '../../rpc/client.ts'
import { LaneTransport, type MessageLane } from '../../rpc/lane-transport.ts'
import { serve } from '../../rpc/serve.ts'
import { Wire } from '../../rpc/wire.ts'
import type { LaneName, Link } from '../../sync/lane.ts'
import { AuthorityExchange, type AuthorityNews } from '../trust/authority-exchange.ts'
import { contactContract, contactFilesContract, contactPortsContract, contactShellContract } from './contact-contract.ts'
import { contactShellHandlers } from './contact-shell-share.ts'
import type { ContactShells } from './contact-shells.ts'
import { contactFilesHandlers, type ContactFilesOptions } from './contact-files.ts'
import { peerJobsContract } from '../links/peer-contract.ts'
import type { ContactJobRecord } from './contact-job-record.ts'
import { peerJobsHandlers, type PeerJobsOptions } from '../jobs/peer-jobs.ts'
import { contactWritesHandlers, type ContactWritesOptions } from './contact-writes.ts'
import { contactPortsHandlers, type SharedPorts } from './contact-port-share.ts'

export interface ContactSessionOptions {
  readonly person: PersonId
  readonly devices: DeviceList
  readonly logs: ContactLogs
  readonly values: KeyValueStore
  readonly ledger: LedgerRecorder
  /** What is granted to that person's devices here. */
  readonly grants: LogGrantCheck
  readonly ports: SharedPorts
  readonly shells: ContactShells
  readonly files: ContactFilesOptions['files'] & ContactWritesOptions['files'] & PeerJobsOptions['files']
  readonly host: PeerJobsOptions['host']
  readonly guestJobs: Pick<ContactJobRecord, 'begin'>
  readonly clock: Clock
  readonly log: Logger
  /** What the peer offers has changed. */
  readonly onDidChangeOffers: () => void
  /** A shell that this device has on the peer. */
  readonly onDidChangeShell: (terminal: HostTerminal) => void
}

/** Lanes that no grant to a contact opens. */
const NEVER: readonly LaneName[] = ['session']
/** What opens the others. */
const OPENED_BY = { tty: ['shell'], ports: ['ports:share'], files: ['files:read', 'files:write'], jobs: ['jobs:run'] } as const
type GrantedLane = keyof typeof OPENED_BY
/** News that wait to be taken in. What comes on top is not kept: one pull brings it all. */
export const MAX_WAITING_NEWS = 64

/** What is offered, and how many more there would be. */
interface Offers {
  readonly offers: ContactOfferRow[]
  readonly leftOut: number
}

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
  readonly #shells: Client<typeof contactShellContract>
  readonly #ports: Client<typeof contactPortsContract>
  readonly #offersChanged = this.#owned.add(new Emitter<Offers>())
  readonly #files: Client<typeof contactFilesContract>
  readonly #jobs: Client<typeof peerJobsContract>
  readonly #openLanes = new Set<GrantedLane>()
  #offers: Offers = { offers: [], leftOut: 0 }
  /** What this peer says is taken one after another. */
  #last: Promise<void> = Promise.resolve()
  #waiting = 0
  #hasMissed = false

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
      maxOperations: logs.maxOperations,
      report: ({ kind }) => log.warn("a contact's log is not what it was", { person, peer: link.peer, kind }),
    })
    this.#authority.hearProved(link.peerHead)
    for (const lane of NEVER) this.#owned.add(link.lane(lane).onDidReceive(() => this.#refuse(lane)))
    const control = this.#wire(link.lane('control'), 'control')
    const tty = this.#wire(this.#guarded('tty'), 'tty')
    const ports = this.#wire(this.#guarded('ports'), 'ports')
    const files = this.#wire(this.#guarded('files'), 'files')
    const jobs = this.#wire(this.#guarded('jobs'), 'jobs')
    this.#serve({ control, tty, ports, files, jobs })
    this.#control = createClient(contactContract, control)
    this.#shells = createClient(contactShellContract, tty)
    this.#ports = createClient(contactPortsContract, ports)
    this.#files = createClient(contactFilesContract, files)
    this.#jobs = createClient(peerJobsContract, jobs)
    const tellOffers = () => this.#offersChanged.fire(this.#ownOffers())
    this.#owned.add(devices.onDidChange(tellOffers))
    this.#owned.add(grants.onDidEnd(tellOffers))
    this.#owned.add(this.#control.onDidTakeOperations((news) => this.#takeInTurn(news)))
    this.#owned.add(this.#shells.onDidChangeShell((terminal) => options.onDidChangeShell(terminal)))
    this.#owned.add(this.#control.onDidChangeOffers((offers) => this.#setOffers(offers)))
    this.#owned.add(link.onDidClose(() => this.dispose()))
  }

  /** Whose device the peer is. */
  get person(): PersonId {
    return this.#options.person
  }

  /** Has the peer said what it offers? */
  hasMet = false

  /** What the peer offers this device. */
  get offers(): readonly ContactOfferRow[] {
    return this.#offers.offers
  }

  /** How many more it says it offers than a list holds. */
  get offersLeftOut(): number {
    return this.#offers.leftOut
  }

  /** Hears what is new. Call once. */
  async meet(): Promise<void> {
    await this.#authority.pull(this.#control)
    this.#setOffers(await this.#control.listOffers({}))
  }

  /** A connection to a port that the peer offers. @throws whatever the peer refuses with */
  async connectPort(port: number): Promise<ByteChannel> {
    this.#openLanes.add('ports') // its answers are no fault
    return this.#ports.channel((await this.#ports.connectPort({ port })).channel)
  }

  /** Shells on the peer, by a grant of its person's. */
  get shells(): Client<typeof contactShellContract> {
    this.#openLanes.add('tty')
    return this.#shells
  }

  /** Reads what the peer shares of its person's datasets. */
  get files(): Client<typeof contactFilesContract> {
    this.#openLanes.add('files')
    return this.#files
  }

  /** Runs something on the peer, by a grant of its person's. */
  get jobs(): Client<typeof peerJobsContract> {
    this.#openLanes.add('jobs')
    return this.#jobs
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #serve({ control, tty, ports, files, jobs }: Readonly<Record<'control' | GrantedLane, Wire>>): void {
    const { person, grants, ledger, guestJobs, clock, log } = this.#options
    const device = this.#link.peer
    const allow = () => !this.#owned.isDisposed
    const options = { allow, onBug: (error: unknown, name: string) => log.error("a call of a contact's device failed", { name, error }) }
    this.#owned.add(
      serve(
        contactContract,
        {
          pullAuthority: (input) => this.#authority.answer(input),
          onDidTakeOperations: this.#authority.onDidTake,
          listOffers: () => this.#ownOffers(),
          onDidChangeOffers: this.#offersChanged.event,
        },
        control,
        options,
      ),
    )
    const guest = { person, device }
    this.#owned.add(serve(contactShellContract, contactShellHandlers(guest, this.#options.shells), tty, options))
    const shared = contactPortsHandlers({ device, grants, ports: this.#options.ports, ledger, clock, owned: this.#owned })
    this.#owned.add(serve(contactPortsContract, shared, ports, options))
    const access = { device, grants, files: this.#options.files, owned: this.#owned }
    this.#owned.add(serve(contactFilesContract, { ...contactFilesHandlers(access), ...contactWritesHandlers(access) }, files, options))
    const releases = new ProgramReleases(this.#options.values)
    const running = {
      ...access,
      clock,
      host: this.#options.host,
      contact: person,
      onDidStart: () => guestJobs.begin(person, device),
      idsOf: (program: ProgramId) => releases.idsOf(program),
    }
    this.#owned.add(serve(peerJobsContract, peerJobsHandlers(running), jobs, options))
  }

  #ownOffers(): Offers {
    const { grants, ports } = this.#options
    const all = grants.grantsOf(this.#link.peer).flatMap(({ grant: { target, program, abilities, untilMs } }): ContactOfferRow[] => {
      const until = untilMs === undefined ? {} : { untilMs }
      if (target.kind === 'dataset') {
        const [mayRead, mayWrite] = [abilities.includes('files:read'), abilities.includes('files:write')]
        return [{ kind: 'dataset' as const, dataset: target.dataset, mayRead, mayWrite, ...until }]
      }
      if (target.kind === 'shell') return [{ kind: 'shell' as const, ...until }]
      if (target.kind === 'jobs') return [{ kind: 'jobs' as const, jobClass: target.jobClass, ...(program && { program }), ...until }]
      if (target.kind !== 'port' || !abilities.includes('ports:share')) return []
      return [{ kind: 'port' as const, port: target.port, isOpen: ports.listensOn(target.port), ...until }]
    })
    return { offers: all.slice(0, MAX_OFFERS), leftOut: Math.max(0, all.length - MAX_OFFERS) }
  }

  #setOffers(offers: Offers): void {
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
      const isGranted = this.#options.grants
        .grantsOf(this.#link.peer)
        .some(({ grant }) => OPENED_BY[name].some((ability) => grant.abilities.includes(ability)))
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

  #takeInTurn(news: AuthorityNews): void {
    if (this.#waiting >= MAX_WAITING_NEWS) {
      this.#hasMissed = true
      return
    }
    this.#waiting++
    this.#last = this.#last.then(async () => {
      this.#waiting--
      if (this.#owned.isDisposed) return
      try {
        const isIncomplete = this.#authority.take(news)
        if (!isIncomplete && !this.#hasMissed) return
        this.#hasMissed = false
        await this.#authority.pull(this.#control)
      } catch (error) {
        const [code, why] = [errorCode(error), errorMessage(error)]
        this.#options.log.warn("something a contact's device said cannot be used", { peer: this.#link.peer, code, why })
        if (/malformed/.test(code)) this.#link.closeForFault(code, why)
      }
    })
  }
}
