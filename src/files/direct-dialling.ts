import { toBase64Url } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { addressOfCandidate, withoutCandidates } from './direct-address.ts'
import type { DialWay, DirectConnection, DirectDial, DirectDials } from './direct-sockets.ts'
import { type DialCandidate, DIALLED_CONNECTIONS, MAX_DIAL_CANDIDATES } from './dial-contract.ts'

/** The other end, asked over the link. */
export interface DialAsk {
  dialDirect(
    input: { dial: string; offers: string[] },
    options?: { readonly signal: AbortSignal },
  ): Promise<{ answers?: string[] | undefined }>
  tellCandidates(input: { dial: string; list: DialCandidate[] }): Promise<unknown>
}

export interface DirectDiallingOptions {
  readonly dials: DirectDials
  readonly way: DialWay
  readonly client: DialAsk
  readonly clock: Clock
  readonly logger: Logger
  readonly randomBytes: (length: number) => Uint8Array
  /** One dial's connections, as they come: the first makes a path, which the others join. */
  readonly opened: () => (connection: DirectConnection) => void
}

/** ICE over the world with a lost packet or two takes a few seconds. */
export const DIAL_MS = 12_000
/** Host candidates come within a millisecond of each other; one message then carries them all. */
const GATHER_MS = 5

/** One dial, of either side: its connections until each came about or failed. */
class Dial implements Disposable {
  readonly id: string
  readonly ends: readonly DirectDial[]
  readonly #options: DirectDiallingOptions
  readonly #owned = new DisposableStore()
  readonly #found: DialCandidate[] = []
  readonly #taken: number[]
  readonly #over: () => void
  readonly #ended = new AbortController()
  #mayTell = false
  #isPlanned = false
  #left: number
  #connected = 0
  readonly #first: ((isConnected: boolean) => void)[] = []

  constructor(id: string, ends: readonly DirectDial[], options: DirectDiallingOptions, over: () => void) {
    this.id = id
    this.ends = ends
    this.#options = options
    this.#over = over
    this.#taken = ends.map(() => 0)
    this.#left = ends.length
    this.#owned.add(options.clock.after(DIAL_MS, () => this.dispose()))
    const connected = options.opened()
    ends.forEach((end, at) => {
      this.#owned.add(end)
      end.onDidFindCandidate(({ candidate, mid }) => {
        if (this.#owned.isDisposed) return
        this.#found.push({ at, candidate, mid })
        this.#plan()
      })
      end.onDidConnect((connection) => {
        if (this.#owned.isDisposed) return connection.dispose()
        this.#connected++
        connected(connection)
        for (const tell of this.#first.splice(0)) tell(true)
        this.#settled()
      })
      end.onDidFail(() => this.#settled())
    })
  }

  /** It is over, whether anything came of it or not. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  get connected(): number {
    return this.#connected
  }

  /** The other end's description is here, so it can make use of candidates. */
  mayTell(): void {
    this.#mayTell = true
    this.#plan()
  }

  /** Only where the link has proved the peer to be: no peer has this machine knock at others. */
  take(list: readonly DialCandidate[]): void {
    for (const { at, candidate, mid } of list) {
      if (addressOfCandidate(candidate) !== this.#options.way.remote || (this.#taken[at] ?? MAX_DIAL_CANDIDATES) >= MAX_DIAL_CANDIDATES)
        continue
      this.#taken[at] = (this.#taken[at] ?? 0) + 1
      this.ends[at]?.addCandidate({ candidate, mid })
    }
  }

  /** As soon as one is there; false when none will be. */
  async whenFirst(): Promise<boolean> {
    if (this.#connected > 0 || this.#owned.isDisposed) return this.#connected > 0
    return new Promise((resolve) => this.#first.push(resolve))
  }

  dispose(): void {
    if (this.#owned.isDisposed) return
    this.#owned.dispose()
    for (const tell of this.#first.splice(0)) tell(this.#connected > 0)
    this.#over()
    this.#ended.abort()
  }

  #settled(): void {
    if (--this.#left === 0) this.dispose()
  }

  #plan(): void {
    if (!this.#mayTell || this.#isPlanned || this.#found.length === 0 || this.#owned.isDisposed) return
    this.#isPlanned = true
    this.#owned.add(
      this.#options.clock.after(GATHER_MS, () => {
        this.#isPlanned = false
        const list = this.#found.splice(0, DIALLED_CONNECTIONS * MAX_DIAL_CANDIDATES)
        this.#options.client.tellCandidates({ dial: this.id, list }).catch((error: unknown) => {
          this.#options.logger.debug('a linked device does not hear how it may be reached', { error: errorMessage(error) })
        })
        this.#plan()
      }),
    )
  }
}

/**
 * Makes WebRTC connections between two linked files processes, several at once, by descriptions and candidates told over the
 * link: it has proved who is there, and DTLS holds each end to the certificate that its description names. One dial at a time,
 * of either side; of two that begin together the one with the lower id goes on. Owns what is in the making, not what came of it.
 */
export class DirectDialling implements Disposable {
  readonly #options: DirectDiallingOptions
  #current: Dial | undefined
  #beginning: Promise<Dial | undefined> | undefined
  #isDisposed = false

  constructor(options: DirectDiallingOptions) {
    this.#options = options
  }

  /** True as soon as one connection is there. */
  async dial(): Promise<boolean> {
    const { randomBytes } = this.#options
    await this.#beginning?.catch(() => {}) // who began it hears why
    if (this.#current) return this.#current.whenFirst()
    const dial = await this.#begin(toBase64Url(randomBytes(16)), DIALLED_CONNECTIONS)
    if (!dial) return this.#whenCurrent()
    try {
      const offers = await Promise.all(dial.ends.map((end) => end.offer()))
      const answers = await this.#ask(dial, offers)
      if (!this.#isCurrent(dial)) return await this.#whenCurrent() // the peer's goes on
      if (answers?.length !== offers.length) return false
      answers.forEach((answer, at) => dial.ends[at]?.accept(withoutCandidates(answer)))
      dial.mayTell()
      return await dial.whenFirst()
    } finally {
      if (dial.connected === 0) dial.dispose()
    }
  }

  /** The peer dials. */
  async answer(id: string, offers: readonly string[]): Promise<{ answers?: string[] }> {
    await this.#beginning?.catch(() => {})
    const own = this.#current
    if (own && (own.connected > 0 || own.id < id)) return {}
    own?.dispose()
    let dial: Dial | undefined
    try {
      dial = await this.#begin(id, offers.length)
      if (!dial) return {}
      const { ends } = dial
      const answers = await Promise.all(offers.map((offer, at) => (ends[at] as DirectDial).answer(withoutCandidates(offer))))
      dial.mayTell()
      return { answers }
    } catch (error) {
      dial?.dispose()
      this.#options.logger.debug('a linked device dials in vain', { error: errorMessage(error) })
      return {}
    }
  }

  takeCandidates(id: string, list: readonly DialCandidate[]): void {
    if (this.#current?.id === id) this.#current.take(list)
  }

  dispose(): void {
    this.#isDisposed = true
    this.#current?.dispose()
  }

  /** @returns undefined  it does not answer before the dial is over, or its own goes on */
  async #ask(dial: Dial, offers: string[]): Promise<string[] | undefined> {
    try {
      return (await this.#options.client.dialDirect({ dial: dial.id, offers }, { signal: dial.ended })).answers
    } catch (error) {
      if (!dial.ended.aborted) throw error
      await this.#beginning?.catch(() => {}) // the peer's, in place of this one
      return undefined
    }
  }

  #isCurrent(dial: Dial): boolean {
    return this.#current === dial
  }

  async #whenCurrent(): Promise<boolean> {
    return (await this.#current?.whenFirst()) ?? false
  }

  /** @returns undefined  another one began meanwhile, or this ended */
  async #begin(id: string, count: number): Promise<Dial | undefined> {
    if (this.#beginning) return undefined
    this.#beginning = this.#make(id, count)
    try {
      return await this.#beginning
    } finally {
      this.#beginning = undefined
    }
  }

  async #make(id: string, count: number): Promise<Dial | undefined> {
    const { dials, way } = this.#options
    const ends: DirectDial[] = []
    try {
      while (ends.length < count) ends.push(await dials.dial(way))
    } catch (error) {
      for (const end of ends) end.dispose()
      throw error
    }
    if (this.#isDisposed || this.#current) {
      for (const end of ends) end.dispose()
      return undefined
    }
    const dial: Dial = new Dial(id, ends, this.#options, () => {
      if (this.#current === dial) this.#current = undefined
    })
    this.#current = dial
    return dial
  }
}
