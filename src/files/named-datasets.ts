import * as z from 'zod'
import { fromBase58 } from '../base/base58.ts'
import type { DatasetId } from '../base/ids.ts'
import { DatasetListError } from './dataset-list-error.ts'
import { isNodeName } from './op.ts'

/** The dataset every person has; no other bears its name. */
export const HOME = 'Home'
/** Beside Home, with those that are put away: each costs two databases and a part of the cache. */
export const MAX_NAMED_DATASETS = 32
/** Records of other devices that are looked at; more are not read, whoever wrote them. */
const MAX_HELD = 256
/** UTF-16 code units. */
export const MAX_DATASET_NAME = 60
const ID_BYTES = 16
/** Letters of the id that tell two of one name apart. */
const MARK_LETTERS = 4

/** A dataset beside Home. */
export interface NamedDataset {
  readonly dataset: DatasetId
  /** As it is shown: of all that are open only one has it. */
  readonly name: string
  /** Not open on any device: not mounted, not exchanged; nothing of it is lost. */
  readonly isAway: boolean
}

const record = z.object({ name: z.string().refine(isDatasetName), isAway: z.boolean().optional() })
export type NamedRecord = z.infer<typeof record>

/** The document that lists them, shared by the person's devices: a record by dataset id; of two that are written at once one counts. */
export interface NamedRecords {
  get(dataset: string): unknown
  keys(): Iterable<string>
  write(dataset: string, record: NamedRecord): void
}

/** A name that a folder can have on every system, seen as it is: no dot first, nothing invisible, no blanks around it. */
export function isDatasetName(name: string): boolean {
  return (
    isNodeName(name) &&
    name.length <= MAX_DATASET_NAME &&
    name.trim() === name &&
    !name.startsWith('.') &&
    !/[\p{C}\p{Zl}\p{Zp}\\:]/u.test(name)
  )
}

/** Which datasets a person has beside Home (rules DL1-DL4). Owns nothing; the document is the truth. */
export class NamedDatasets {
  readonly #records: NamedRecords
  readonly #home: DatasetId

  constructor(records: NamedRecords, home: DatasetId) {
    this.#records = records
    this.#home = home
  }

  /** By id, the same on every device; of two of one name the later id is marked. Those put away do not take a name from others. */
  get all(): readonly NamedDataset[] {
    const held: { dataset: DatasetId; record: NamedRecord }[] = []
    for (const dataset of [...this.#records.keys()].sort().slice(0, MAX_HELD)) {
      const parsed = record.safeParse(this.#records.get(dataset))
      if (parsed.success && dataset !== this.#home && isDatasetId(dataset)) held.push({ dataset, record: parsed.data })
    }
    const taken = new Set([HOME])
    const nameOf = (dataset: DatasetId, name: string) => {
      const shown = taken.has(name) ? `${name} (${dataset.slice(0, MARK_LETTERS)})` : name
      taken.add(shown)
      return shown
    }
    const [open, away] = [held.filter((one) => !one.record.isAway), held.filter((one) => one.record.isAway)]
    return [...open, ...away].map((one) => ({
      dataset: one.dataset,
      name: nameOf(one.dataset, one.record.name),
      isAway: one.record.isAway === true,
    }))
  }

  /** As they are kept, for a recovery kit: names as they were given, not as they are shown. */
  get kept(): readonly NamedDataset[] {
    return this.all.map((one) => ({ ...one, name: record.parse(this.#records.get(one.dataset)).name }))
  }

  /** By its name or id. @throws DatasetListError `dataset/unknown` */
  require(which: string): NamedDataset {
    const found = this.all.find(({ dataset, name }) => dataset === which || name === which)
    if (found) return found
    if (which === HOME || which === this.#home) throw new DatasetListError('dataset/is-home', 'Home is on every device and keeps its name')
    throw new DatasetListError(
      'dataset/unknown',
      `there is no data set ${JSON.stringify(which.slice(0, 80))}; "elsewhere fs datasets" lists them`,
    )
  }

  /** @throws DatasetListError `dataset/bad-name`, `dataset/name-taken`, `dataset/too-many` */
  make(dataset: DatasetId, name: string): void {
    this.#requireFree(name)
    if (this.all.length >= MAX_NAMED_DATASETS)
      throw new DatasetListError(
        'dataset/too-many',
        `there are ${MAX_NAMED_DATASETS} data sets beside Home; a folder in one of them does as well`,
      )
    this.#records.write(dataset, { name })
  }

  /** One that a recovery kit knew; what is no dataset is left out. */
  adopt(dataset: string, known: NamedRecord): void {
    if (isDatasetId(dataset) && record.safeParse(known).success) this.#records.write(dataset, known)
  }

  /** @throws DatasetListError `dataset/unknown`, `dataset/bad-name`, `dataset/name-taken` */
  rename(which: string, name: string): NamedDataset {
    const found = this.require(which)
    if (found.name !== name) {
      this.#requireFree(name, found.dataset)
      this.#records.write(found.dataset, { name, ...(found.isAway && { isAway: true }) })
    }
    return this.require(found.dataset)
  }

  /** @throws DatasetListError `dataset/unknown` */
  setAway(which: string, isAway: boolean): NamedDataset {
    const found = this.require(which)
    const { name } = record.parse(this.#records.get(found.dataset))
    if (found.isAway !== isAway) this.#records.write(found.dataset, { name, ...(isAway && { isAway: true }) })
    return this.require(found.dataset)
  }

  #requireFree(name: string, but?: DatasetId): void {
    if (!isDatasetName(name)) {
      const what = `the name of a data set has 1 to ${MAX_DATASET_NAME} letters, no / \\ or :, no dot first and no blanks around it`
      throw new DatasetListError('dataset/bad-name', what)
    }
    const isTaken = name === HOME || this.all.some((one) => one.dataset !== but && one.name === name)
    if (isTaken) throw new DatasetListError('dataset/name-taken', `there is a data set ${JSON.stringify(name)} already; take another name`)
  }
}

function isDatasetId(text: string): text is DatasetId {
  try {
    return fromBase58(text).length === ID_BYTES
  } catch {
    return false
  }
}
