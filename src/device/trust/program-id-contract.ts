import * as z from 'zod'
import { method, type Contract } from '../../rpc/contract.ts'

/** What a grant to a program names. */
export const programIdContract = {
  /** What a program of this device is, by its bytes; `program`: a name, as a shell here would find it, or an absolute path. Rejects with the codes of `program/...`. */
  programId: method({
    needs: 'desk:read',
    parseInput: z.object({ program: z.string().min(1).max(4096) }).parse,
    parseOutput: z.object({ id: z.string().max(80) }).parse,
  }),
} satisfies Contract
