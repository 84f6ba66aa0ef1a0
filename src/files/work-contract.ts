import * as z from 'zod'
import { method, type Contract } from '../rpc/contract.ts'

/* What the device process asks of the files process about work on copies of a dataset's files. Never reached by displays or peers. */

/** Paths of one call. */
export const MAX_WORK_PATHS = 65_536
/** Folders told in one answer. */
export const MAX_WORK_FOLDERS = 10_000

const dataset = z.string().min(1).max(64)
const work = z.string().regex(/^[0-9a-f]{32}$/)
/** From the top of the dataset. */
const path = z.string().min(1).max(8_192)
/** Below the work folder. */
const at = z.string().min(1).max(4_096)
const paths = z.array(z.object({ path, at })).max(MAX_WORK_PATHS)
/** 32 hex digits of what a file is, or a folder with all in it; `missing`: nothing is there. */
const digest = z.string().max(32)
const nothing = z.object({})

export const workContract = {
  /** What lies at each path, by content: the same bytes, names and modes give the same digest. Fetches nothing. */
  fingerprintPaths: method({
    needs: 'files:run',
    parseInput: z.object({ dataset, paths: z.array(path).max(MAX_WORK_PATHS) }).parse,
    parseOutput: z.object({ digests: z.array(digest).max(MAX_WORK_PATHS) }).parse,
  }),
  /**
   * An empty folder with copies of these in it; bytes that are on other devices only are fetched. Answers where it lies.
   * Errors: file/not-found, file/disk-full, chunk/unavailable.
   */
  layOutWork: method({
    needs: 'files:run',
    parseInput: z.object({ dataset, work, paths }).parse,
    parseOutput: z.object({ folder: z.string().max(8_192), files: z.number().int(), bytes: z.number() }).parse,
  }),
  /**
   * What lies in the folder becomes what the dataset has at these paths; what is the same already is not written again, and what a
   * folder does not have any more goes to the trash. Safe to repeat. Errors: file/not-found (the message names what is missing).
   */
  takeInWork: method({
    needs: 'files:run',
    parseInput: z.object({ dataset, work, paths }).parse,
    parseOutput: z.object({ digests: z.array(digest).max(MAX_WORK_PATHS) }).parse,
  }),
  /** The folders that are there, whoever made them. */
  listWork: method({
    needs: 'files:run',
    parseInput: nothing.parse,
    parseOutput: z.object({ works: z.array(work).max(MAX_WORK_FOLDERS) }).parse,
  }),
  dropWork: method({ needs: 'files:run', parseInput: z.object({ work }).parse, parseOutput: nothing.parse }),
} satisfies Contract
