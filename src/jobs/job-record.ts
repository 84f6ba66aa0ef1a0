import * as z from 'zod'
import { fromUtf8, utf8 } from '../base/bytes.ts'
import { classification, jobPolicy } from './job-contract.ts'
import { jobInfo } from './jobs-contract.ts'

/**
 * A job as its device keeps it: what displays see, and what is needed to run it again. Format 1, sealed JSON in the store; the
 * golden file is golden/job-record-1.json.
 */
export const jobRecord = z.object({
  format: z.literal(1),
  info: jobInfo,
  /** Whole, as typed. */
  commandLine: z.string().max(100_000),
  environment: z.record(z.string().max(256), z.string().max(32_768)),
  /** What the line was taken to be when it was asked for: its folder's aliases may be others by now. */
  classification,
  policy: jobPolicy,
  input: z.boolean(),
  network: z.boolean(),
})
export type JobRecord = z.infer<typeof jobRecord>

export const encodeJobRecord = (record: JobRecord): Uint8Array => utf8(JSON.stringify(record))

/** Undefined: written by a newer version, or damaged. */
export function decodeJobRecord(bytes: Uint8Array): JobRecord | undefined {
  try {
    return jobRecord.parse(JSON.parse(fromUtf8(bytes)))
  } catch {
    return undefined // the caller says that it is left out
  }
}

/** Whether nothing more comes of it. */
export const isOver = ({ state }: { readonly state: JobRecord['info']['state'] }): boolean =>
  state === 'done' || state === 'failed' || state === 'cancelled'
