import * as z from 'zod'
import { method, type Contract } from '../rpc/contract.ts'
import { fileEntry, MAX_TEXT_BYTES } from './home-files-contract.ts'

/*
 * What the device asks of the files process, over its 0600 socket: home-files-contract.ts without the device, which the
 * files process does not know. Whoever can open the socket may do all of it.
 */

/** Most entries of one folder that are listed. */
export const MAX_LISTED_ENTRIES = 20_000
/** Largest file read whole for a viewer. */
export const MAX_READ_BYTES = 16 * 1024 * 1024

const path = z.string().min(1).max(4096)
const place = z.object({ path })
const version = z.string().max(200)
const nothing = z.object({})

export const filesProcessContract = {
  homeFolder: method({ needs: 'files:run', parseInput: nothing.parse, parseOutput: place.parse }),
  listFolder: method({
    needs: 'files:run',
    parseInput: place.parse,
    parseOutput: z.object({ path: z.string(), entries: z.array(fileEntry).max(MAX_LISTED_ENTRIES), truncated: z.boolean() }).parse,
  }),
  readText: method({
    needs: 'files:run',
    parseInput: place.parse,
    parseOutput: z.object({ text: z.string().max(MAX_TEXT_BYTES), version, readOnly: z.boolean() }).parse,
  }),
  readBytes: method({
    needs: 'files:run',
    parseInput: place.parse,
    parseOutput: z.object({ base64: z.string().max(Math.ceil(MAX_READ_BYTES / 3) * 4), version }).parse,
  }),
  writeText: method({
    needs: 'files:run',
    parseInput: z.object({ path, text: z.string().max(MAX_TEXT_BYTES), expectedVersion: version.nullable().optional() }).parse,
    parseOutput: z.object({ version }).parse,
  }),
  makeFolder: method({ needs: 'files:run', parseInput: place.parse, parseOutput: nothing.parse }),
  renameEntry: method({ needs: 'files:run', parseInput: z.object({ path, to: path }).parse, parseOutput: nothing.parse }),
  trashEntry: method({ needs: 'files:run', parseInput: place.parse, parseOutput: z.object({ trashedTo: z.string() }).parse }),
} satisfies Contract
