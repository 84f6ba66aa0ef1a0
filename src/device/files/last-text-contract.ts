import * as z from 'zod'
import { MAX_TEXT_BYTES } from '../../files/home-files-contract.ts'
import { type Contract, method } from '../../rpc/contract.ts'

/** What this device remembers of files on others: asked by its displays only. */
export const lastTextContract = {
  /** The text of a file on another device as this one read or saved it last; null: none is kept. Never asks that device. */
  lastText: method({
    needs: 'desk:read',
    parseInput: z.object({ device: z.string(), path: z.string().min(1).max(4096) }).parse,
    parseOutput: z.object({ text: z.string().max(MAX_TEXT_BYTES), version: z.string().max(200), atMs: z.number() }).nullable().parse,
  }),
} satisfies Contract
