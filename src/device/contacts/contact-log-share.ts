import { fromBase64Url, toBase64Url } from '../../base/bytes.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { Event } from '../../base/emitter.ts'
import type { PersonId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import type { OperationId } from '../../identity/authority/operation.ts'
import type { ContactLogs } from '../../identity/contacts/contact-logs.ts'
import type { Client } from '../../rpc/client.ts'
import { type AuthorityNews, PAGE_BYTES } from '../trust/authority-exchange.ts'
import type { peerContract } from '../links/peer-contract.ts'

export interface ContactNews extends AuthorityNews {
  readonly person: string
}

/**
 * The logs of contacts among the devices of one person: each knows every contact's devices as soon as one of them does. What is
 * told is judged by the log, never by who told it.
 */
export class ContactLogShare implements Disposable {
  readonly #logs: ContactLogs
  readonly #control: Pick<Client<typeof peerContract>, 'pullContactLog'>
  readonly #log: Logger
  readonly #owned = new DisposableStore()
  /** One after another; of each contact at most one waits. */
  #last: Promise<void> = Promise.resolve()
  readonly #waiting = new Set<PersonId>()

  constructor(logs: ContactLogs, control: Pick<Client<typeof peerContract>, 'pullContactLog'>, log: Logger) {
    this.#logs = logs
    this.#control = control
    this.#log = log
    // Somebody became a contact on another device: this one has heard of them, and of none of their devices.
    this.#owned.add(logs.onDidChange((person) => logs.of(person)?.isEmpty && this.#pullLater(person)))
  }

  /** What this device tells: each change, with the operations when they fit a page. */
  readonly onDidTake: Event<ContactNews> = (listener): Disposable =>
    this.#logs.onDidTake(({ person, operations }) => {
      const bytes = operations.reduce((sum, operation) => sum + operation.bytes.length, 0)
      const told = bytes <= PAGE_BYTES ? operations.map((operation) => toBase64Url(operation.bytes)) : []
      listener({ person, operations: told, count: this.#logs.of(person)?.state.count ?? 0 })
    })

  answer({ person, have, skip }: { readonly person: string; readonly have: readonly string[]; readonly skip: number }): AuthorityNews {
    const log = this.#logs.of(person as PersonId)
    const operations = log?.missingFor({ have: have as OperationId[], skip }, PAGE_BYTES) ?? []
    return { operations: operations.map(({ bytes }) => toBase64Url(bytes)), count: log?.state.count ?? 0 }
  }

  /** Everything the peer knows of every contact. */
  pullAll(): void {
    for (const person of this.#logs.persons) this.#pullLater(person)
  }

  take({ person, operations }: ContactNews): void {
    const [known, one] = [this.#logs.of(person as PersonId), person as PersonId]
    if (!known) return // no contact here (yet): asked for when it is
    try {
      if (operations.length > 0 && this.#logs.take(one, operations.map(fromBase64Url)).isComplete) return
      this.#pullLater(one)
    } catch (error) {
      this.#log.warn("a contact's log could not be taken from another device", { person, code: errorCode(error) })
    }
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #pullLater(person: PersonId): void {
    if (this.#waiting.has(person)) return
    this.#waiting.add(person)
    this.#last = this.#last.then(async () => {
      this.#waiting.delete(person)
      if (this.#owned.isDisposed) return
      try {
        await this.#pull(person)
      } catch (error) {
        this.#log.debug("a contact's log was not heard of", { person, code: errorCode(error), why: errorMessage(error) })
      }
    })
  }

  async #pull(person: PersonId): Promise<void> {
    const have = this.#logs.of(person)?.landmarks() ?? []
    for (let skip = 0; skip <= this.#logs.maxOperations; ) {
      const { operations } = await this.#control.pullContactLog({ person, have, skip })
      if (operations.length === 0 || !this.#logs.of(person)) return
      this.#logs.take(person, operations.map(fromBase64Url))
      skip += operations.length
    }
  }
}
