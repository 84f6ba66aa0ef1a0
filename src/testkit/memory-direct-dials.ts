import { Emitter } from '../base/emitter.ts'
import type { DialWay, DirectCandidate, DirectConnection, DirectDial, DirectDials } from '../files/direct-sockets.ts'
import { MemoryDirectConnection } from './memory-direct-sockets.ts'

/** Machines that dial each other: an end connects when both know the other's description and one way to it, and certificates are as told. */
export class MemoryDirectDials implements DirectDials {
  readonly ends: MemoryDial[] = []
  /** Both ends of each connection. */
  readonly made: (readonly [MemoryDirectConnection, MemoryDirectConnection])[] = []
  /** The address by which each end says that it may be reached. */
  address = '10.0.0.2'

  async dial(_way: DialWay): Promise<MemoryDial> {
    const end = new MemoryDial(this, this.ends.length)
    this.ends.push(end)
    return end
  }

  get open(): number {
    return this.ends.filter(({ isOver }) => !isOver).length
  }

  meet(end: MemoryDial): void {
    const other = this.ends[end.remote ?? -1]
    if (other?.remote !== end.at || !end.knowsWay || !other.knowsWay || end.isOver || other.isOver) return
    if (end.isTold(other) && other.isTold(end)) {
      const pair = MemoryDirectConnection.pair('webrtc')
      this.made.push(pair)
      setImmediate(() => end.connect(pair[0]))
      setImmediate(() => other.connect(pair[1]))
    } else for (const one of [end, other]) one.fail()
  }
}

export class MemoryDial implements DirectDial {
  readonly at: number
  readonly #network: MemoryDirectDials
  readonly #found = new Emitter<DirectCandidate>()
  readonly #connected = new Emitter<DirectConnection>()
  readonly #failed = new Emitter<void>()
  readonly onDidFindCandidate = this.#found.event
  readonly onDidConnect = this.#connected.event
  readonly onDidFail = this.#failed.event
  readonly taken: DirectCandidate[] = []
  remote: number | undefined
  #told: string | undefined
  isOver = false

  constructor(network: MemoryDirectDials, at: number) {
    this.#network = network
    this.at = at
  }

  get #certificate(): string {
    return `certificate-${this.at}`
  }

  get knowsWay(): boolean {
    return this.taken.length > 0
  }

  isTold(other: MemoryDial): boolean {
    return this.#told === other.#certificate
  }

  async offer(): Promise<string> {
    setImmediate(() => this.#found.fire({ candidate: `candidate:1 1 UDP 1 ${this.#network.address} 4000 typ host`, mid: '0' }))
    return `memory ${this.at} ${this.#certificate}`
  }

  async answer(offer: string): Promise<string> {
    this.accept(offer)
    return this.offer()
  }

  accept(answer: string): void {
    const [, at, certificate] = /^memory (\d+) (\S+)/.exec(answer) ?? []
    if (at === undefined) throw new Error('not a description')
    this.remote = Number(at)
    this.#told = certificate
    this.#network.meet(this)
  }

  addCandidate(candidate: DirectCandidate): void {
    this.taken.push(candidate)
    this.#network.meet(this)
  }

  connect(connection: MemoryDirectConnection): void {
    if (this.isOver) return connection.dispose()
    this.isOver = true
    this.#connected.fire(connection)
  }

  fail(): void {
    if (this.isOver) return
    this.isOver = true
    this.#failed.fire()
  }

  dispose(): void {
    this.isOver = true
  }
}
