import * as z from 'zod'
import { method, type Contract } from '../rpc/contract.ts'

/* Which datasets the person has beside Home: made, renamed and put away on one device, so on all. Answered by the device process. */

/** A dataset's id, or its name as it is shown. */
const which = z.string().min(1).max(80)
const name = z.string().min(1).max(80)
const named = z.object({ dataset: z.string().max(64), name: z.string().max(80), isAway: z.boolean() })
export type NamedDatasetInfo = z.infer<typeof named>

export const datasetListContract = {
  /** Those beside Home, with those put away. */
  listNamedDatasets: method({ needs: 'desk:read', parseInput: z.object({}).parse, parseOutput: z.array(named).max(256).parse }),
  /** Rejects with `dataset/bad-name`, `dataset/name-taken`, `dataset/too-many`. */
  makeDataset: method({ needs: 'desk:write', parseInput: z.object({ name }).parse, parseOutput: named.parse }),
  /** Rejects with `dataset/unknown`, `dataset/is-home`, `dataset/bad-name`, `dataset/name-taken`. */
  renameDataset: method({ needs: 'desk:write', parseInput: z.object({ which, name }).parse, parseOutput: named.parse }),
  /**
   * Closes it on every device, or opens it again. `dataset/not-safe`: something of it is on this device alone; `force`: put away all the
   * same, it stays here.
   */
  putDatasetAway: method({
    needs: 'desk:write',
    parseInput: z.object({ which, isAway: z.boolean(), force: z.boolean().optional() }).parse,
    parseOutput: named.parse,
  }),
} satisfies Contract
