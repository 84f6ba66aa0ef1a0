import { fromBase64Url, toBase64Url } from '../../base/bytes.ts'
import type { Disposable } from '../../base/disposable.ts'
import type { DeviceId } from '../../base/ids.ts'
import type { AuthorityReport } from '../../identity/authority/authority-log.ts'
import { countOfHead } from '../../identity/authority/authority-head.ts'
import { IdentityError } from '../../identity/identity-error.ts'
import type { HeadsHeard } from '../../identity/authority/heads-heard.ts'
import type { OperationId } from '../../identity/authority/operation.ts'
import type { DeviceList } from '../../identity/device-list.ts'
import type { Client } from '../../rpc/client.ts'
import type { Event } from '../../base/emitter.ts'
import type { peerContract } from '../links/peer-contract.ts'

/** A page of operations: below what the control lane carries at once, so that a key press never waits for it. */
export const PAGE_BYTES = 48 * 1024

export interface AuthorityNews {
  readonly operations: string[]
  readonly count: number
}

export interface AuthorityExchangeOptions {
  /** Whose log this device tells, and takes in; of a contact these are two. */
  readonly devices: Pick<DeviceList, 'onDidTake' | 'operationCount' | 'operationsFor' | 'landmarks' | 'takeOperations'>
  readonly heard: HeadsHeard
  readonly peer: DeviceId
  readonly report: (report: AuthorityReport) => void
  /** Of one pull no more operations are taken than this: a peer that always has one more is not asked for ever. */
  readonly maxOperations?: number
}

/** As far as a pull can ask to skip. */
const MAX_OPERATIONS = 1e7

/**
 * The authority log between this device and one peer: each asks the other for what it lacks when they meet, and tells what is
 * new as it comes. What is told is judged by the log, never by who told it.
 */
export class AuthorityExchange {
  readonly #options: AuthorityExchangeOptions

  constructor(options: AuthorityExchangeOptions) {
    this.#options = options
  }

  /** What this device tells: each change, with the operations when they fit a page. */
  readonly onDidTake: Event<AuthorityNews> = (listener): Disposable =>
    this.#options.devices.onDidTake((operations) => {
      const bytes = operations.reduce((sum, operation) => sum + operation.bytes.length, 0)
      const told = bytes <= PAGE_BYTES ? operations.map((operation) => toBase64Url(operation.bytes)) : []
      listener({ operations: told, count: this.#options.devices.operationCount })
    })

  /** What the peer proved it knows when it linked, before it says a word: that it was set back shows here already. */
  hearProved(head: Uint8Array | undefined): void {
    const count = head && countOfHead(head)
    if (count !== undefined) this.#hear(count)
  }

  answer({ have, skip }: { readonly have: readonly string[]; readonly skip: number }): AuthorityNews {
    const { devices } = this.#options
    const operations = devices.operationsFor({ have: have as OperationId[], skip }, PAGE_BYTES)
    return { operations: operations.map(toBase64Url), count: devices.operationCount }
  }

  /** Asks until there is nothing more. @throws IdentityError, RpcError */
  async pull(control: Pick<Client<typeof peerContract>, 'pullAuthority'>): Promise<void> {
    const have = [...this.#options.devices.landmarks]
    for (let skip = 0; ; ) {
      const { operations, count } = await control.pullAuthority({ have, skip })
      this.#hear(count)
      if (operations.length === 0) return
      this.#take(operations)
      skip += operations.length
      if (skip > (this.#options.maxOperations ?? MAX_OPERATIONS)) {
        throw new IdentityError(
          'authority/too-many',
          `device ${this.#options.peer.slice(0, 12)}… has no end to its log: left at ${skip} operations`,
        )
      }
    }
  }

  /** What the peer told. @returns whether something is missing that must be pulled */
  take({ operations, count }: AuthorityNews): boolean {
    this.#hear(count)
    return operations.length === 0 || !this.#take(operations)
  }

  #take(operations: readonly string[]): boolean {
    return this.#options.devices.takeOperations(operations.map(fromBase64Url)).isComplete
  }

  #hear(count: number): void {
    const report = this.#options.heard.hear(this.#options.peer, count)
    if (report) this.#options.report(report)
  }
}
