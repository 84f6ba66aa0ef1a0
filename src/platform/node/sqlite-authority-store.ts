import { fromHex, toHex } from '../../base/bytes.ts'
import type { PersonId } from '../../base/ids.ts'
import type { AuthorityStore, StoredCheckpoint, StoredOperation } from '../../identity/authority/authority-store.ts'
import type { OperationId } from '../../identity/authority/operation.ts'
import { authorityContext, type SqliteStore } from './sqlite-store.ts'

const ID_BYTES = 32

/** AuthorityStore in a SqliteStore, in tables of its own: operations and states sealed, looked up by HMAC. One per person. */
export class SqliteAuthorityStore implements AuthorityStore {
  readonly #store: SqliteStore
  readonly #person: PersonId
  readonly #log: Uint8Array
  #count: number

  constructor(store: SqliteStore, person: PersonId) {
    this.#store = store
    this.#person = person
    this.#log = store.sealer.lookupKey(`authority\n${person}`)
    this.#count = this.#countRows()
    store.onDidSetAside(() => (this.#count = this.#countRows()))
  }

  get count(): number {
    return this.#count
  }

  has(id: OperationId): boolean {
    return this.#store.run(
      () => this.#store.statement('select 1 from operation where log = ? and look = ?').get(this.#log, this.#look(id)) !== undefined,
    )
  }

  append(operations: readonly StoredOperation[]): void {
    const added = this.#store.write(() => {
      let position = this.#count
      const put = this.#store.statement('insert or ignore into operation (log, position, look, bytes) values (?, ?, ?, ?)')
      for (const { id, bytes } of operations) {
        const plain = new Uint8Array([...fromHex(id), ...bytes])
        const sealed = this.#store.sealer.seal(plain, this.#context('operation', position))
        if (put.run(this.#log, position, this.#look(id), sealed).changes > 0) position++
      }
      return position - this.#count
    })
    this.#count += added
  }

  read(after: number): readonly StoredOperation[] {
    return this.#store.run(() => {
      const rows = this.#store.statement('select position, bytes from operation where log = ? and position >= ? order by position')
      return (rows.all(this.#log, after) as { position: number; bytes: Uint8Array }[]).map((row) => this.#open(row))
    })
  }

  find(id: OperationId): Uint8Array | undefined {
    return this.#store.run(() => {
      const row = this.#store.statement('select position, bytes from operation where log = ? and look = ?').get(this.#log, this.#look(id))
      return row && this.#open(row as { position: number; bytes: Uint8Array }).bytes
    })
  }

  idAt(position: number): OperationId | undefined {
    return this.#store.run(() => {
      const row = this.#store.statement('select position, bytes from operation where log = ? and position = ?').get(this.#log, position)
      return row && this.#open(row as { position: number; bytes: Uint8Array }).id
    })
  }

  checkpoints(): readonly StoredCheckpoint[] {
    return this.#store.run(() => {
      const rows = this.#store.statement('select count, bytes from authority_checkpoint where log = ? order by count desc').all(this.#log)
      return (rows as { count: number; bytes: Uint8Array }[]).map(({ count, bytes }) => ({
        count,
        state: this.#store.sealer.open(bytes, this.#context('checkpoint', count)),
      }))
    })
  }

  putCheckpoint({ count, state }: StoredCheckpoint): void {
    this.#store.write(() => {
      const sealed = this.#store.sealer.seal(state, this.#context('checkpoint', count))
      this.#store
        .statement('insert or replace into authority_checkpoint (log, count, bytes) values (?, ?, ?)')
        .run(this.#log, count, sealed)
    })
  }

  dropCheckpoint(count: number): void {
    this.#store.write(() => {
      this.#store.statement('delete from authority_checkpoint where log = ? and count = ?').run(this.#log, count)
    })
  }

  #open({ position, bytes }: { position: number; bytes: Uint8Array }): StoredOperation {
    const plain = this.#store.sealer.open(bytes, this.#context('operation', position))
    return { id: toHex(plain.subarray(0, ID_BYTES)) as OperationId, bytes: plain.slice(ID_BYTES) }
  }

  /** Positions have no gaps; counting the rows themselves would read all of a long log. */
  #countRows(): number {
    return this.#store.run(() => {
      const row = this.#store.statement('select coalesce(max(position) + 1, 0) as count from operation where log = ?').get(this.#log)
      return (row as { count: number }).count
    })
  }

  #look(id: OperationId): Uint8Array {
    return this.#store.sealer.lookupKey(`operation\n${this.#person}\n${id}`)
  }

  #context(what: 'operation' | 'checkpoint', at: number): string {
    return authorityContext(what, this.#log, at)
  }
}
