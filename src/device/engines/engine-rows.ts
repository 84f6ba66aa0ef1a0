import type { Clock } from '../../base/clock.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { Engine, EngineCondition } from '../../jobs/engines/engine.ts'
import type { EngineRecord } from '../../jobs/engines/engine-book.ts'
import { ENGINE_PREFIX, type EngineRow, type EngineSettings } from '../../jobs/engines/engines-contract.ts'
import { withPatience } from './with-patience.ts'

/** A row and a placement wait no longer for one. */
const DESCRIBE_MS = 3_000
/** What it said counts so long for placement; that it did not answer, longer. */
const FRESH_MS = 2_000
const AWAY_FRESH_MS = 10_000

/** How engines are, and how each was when it was asked last. What is known of a record is of that one: added anew it is asked anew. */
export class EngineRows {
  readonly #clock: Clock
  readonly #engineOf: (record: EngineRecord) => Engine
  readonly #known = new WeakMap<EngineRecord, { readonly row: EngineRow; readonly atMs: number }>()

  constructor(clock: Clock, engineOf: (record: EngineRecord) => Engine) {
    this.#clock = clock
    this.#engineOf = engineOf
  }

  /** One that does not answer in 3 s is away. Never rejects. */
  async ask(record: EngineRecord): Promise<EngineRow> {
    try {
      return this.keep(record, await withPatience(this.#clock, (signal) => this.#engineOf(record).describe(signal), DESCRIBE_MS))
    } catch (error) {
      const state = errorCode(error) === 'engine/refused' ? 'refused' : 'away'
      return this.#keep(record, { ...plainRow(record), state, why: errorMessage(error).slice(0, 600) })
    }
  }

  /**
   * As it was a moment ago; one that was away is not waited for at each start.
   *
   * @param isWanted  somebody named it: that it was away does not count, since it may be back
   */
  async soon(record: EngineRecord, isWanted: boolean): Promise<EngineRow> {
    const kept = this.#known.get(record)
    const isFresh = kept && this.#clock.monotonicMs() - kept.atMs < (kept.row.state === 'ready' ? FRESH_MS : isWanted ? 0 : AWAY_FRESH_MS)
    return isFresh ? kept.row : this.ask(record)
  }

  /** As it was when it was asked last, however long that is ago; without a call. */
  last(record: EngineRecord): EngineRow {
    return this.#known.get(record)?.row ?? { ...plainRow(record), state: 'unasked', why: 'not asked yet' }
  }

  keep(record: EngineRecord, { version, cores, idleCores, queued, runs }: EngineCondition): EngineRow {
    const why = `${version}, ${idleCores} of ${cores} cores idle${queued > 0 ? `, ${queued} waiting` : ''}${runs ? `, runs ${runs.join(' and ') || 'nothing'}` : ''}`
    return this.#keep(record, { ...plainRow(record), state: 'ready', why, cores, idleCores, queued, ...(runs && { runs: [...runs] }) })
  }

  #keep(record: EngineRecord, row: EngineRow): EngineRow {
    this.#known.set(record, { row, atMs: this.#clock.monotonicMs() })
    return row
  }
}

/** Without its token. */
function plainRow({ format: _format, token: _token, ...settings }: EngineRecord): EngineSettings & Pick<EngineRow, 'engine'> {
  return { ...settings, engine: `${ENGINE_PREFIX}${settings.name}` }
}
