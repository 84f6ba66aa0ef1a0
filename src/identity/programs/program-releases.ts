import { fromUtf8, utf8 } from '../../base/bytes.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'
import type { ProgramId } from '../authority/program-id.ts'
import { IdentityError } from '../identity-error.ts'
import { type ProgramRelease, programRelease } from '../releases-contract.ts'

const SPACE = 'program-releases'
/** Of all publishers; each is asked for when a job is started by a grant to one. */
const MAX_RELEASES = 1_000
/** Of one publisher: more are not looked through when a job is started. */
export const MAX_PUBLISHER_IDS = 1_024

/** What publishers released, as this device was told (rule ID162). Holds what readProgramRelease took, and nothing else. */
export class ProgramReleases {
  readonly #values: KeyValueStore

  constructor(values: KeyValueStore) {
    this.#values = values
  }

  /** By publisher, name and release. */
  get all(): readonly ProgramRelease[] {
    const read = this.#values.entries(SPACE).flatMap(([, value]) => programRelease.safeParse(JSON.parse(fromUtf8(value))).data ?? [])
    return read.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  }

  /** The newest word on a release takes the place of one before. @throws IdentityError `release/too-many`; StoreError */
  add(release: ProgramRelease): void {
    const known = this.#values.get(SPACE, keyOf(release)) !== undefined
    if (!known && this.#values.entries(SPACE).length >= MAX_RELEASES) {
      throw new IdentityError('release/too-many', `a device keeps at most ${MAX_RELEASES} releases; forget some first`)
    }
    const others = this.all.filter((one) => one.publisher === release.publisher && keyOf(one) !== keyOf(release))
    if (new Set([...others, release].flatMap(({ ids }) => ids)).size > MAX_PUBLISHER_IDS) {
      throw new IdentityError(
        'release/too-many',
        `a device keeps ${MAX_PUBLISHER_IDS} programs of one publisher; forget old releases first`,
      )
    }
    this.#values.put(SPACE, keyOf(release), utf8(JSON.stringify(release)))
  }

  /** @throws IdentityError `release/unknown`; StoreError */
  forget(named: Pick<ProgramRelease, 'publisher' | 'name' | 'release'>): void {
    if (this.#values.get(SPACE, keyOf(named)) === undefined) {
      throw new IdentityError('release/unknown', `there is no release ${named.release} of ${named.name} here; look at the list again`)
    }
    this.#values.delete(SPACE, keyOf(named))
  }

  /** What a grant to it means here: itself, or each that its publisher released. */
  idsOf(program: ProgramId): readonly string[] {
    if (!program.startsWith('pub:')) return [program]
    const publisher = program.slice(4)
    return [...new Set(this.all.flatMap((release) => (release.publisher === publisher ? release.ids : [])))]
  }
}

const keyOf = ({ publisher, name, release }: Pick<ProgramRelease, 'publisher' | 'name' | 'release'>): string =>
  [publisher, name, release].join('\n')
