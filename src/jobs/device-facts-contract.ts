import * as z from 'zod'
import { method, type Contract } from '../rpc/contract.ts'

/**
 * What a device says of itself for placement. It may lie or be out of date: the worst that comes of it is a job in a
 * place that does not suit it.
 */
export const deviceFacts = z.object({
  device: z.string().max(64),
  platform: z.string().max(16),
  architecture: z.string().max(16),
  cores: z.number().int().min(1).max(65_536),
  /** 0..1 of all cores, over the last half second or more. */
  busy: z.number().min(0).max(1),
  /** Work of one core against a reference core (1.0): measured once by the device. */
  speed: z.number().min(0.01).max(100),
  memoryFreeBytes: z.number().min(0),
  memoryTotalBytes: z.number().min(0),
  /** Absent: no battery. */
  battery: z.object({ discharging: z.boolean(), percent: z.number().min(0).max(100) }).optional(),
  /** Ms since somebody typed at a terminal of that machine; absent: nobody since it started, or not known. */
  lastInputMs: z.number().min(0).optional(),
  /** Of the programs asked for, those that a job there would not find. */
  missingTools: z.array(z.string().max(256)).max(64),
  /** Why a job cannot be shut in there; absent: it can. */
  noSandbox: z.string().max(200).optional(),
})
export type DeviceFacts = z.infer<typeof deviceFacts>

export const factsContract = {
  readFacts: method({
    needs: 'desk:read',
    parseInput: z.object({ device: z.string().max(64), tools: z.array(z.string().min(1).max(256)).max(64) }).parse,
    parseOutput: deviceFacts.parse,
  }),
  /** How much a folder holds, as far as a short look tells: `complete` false, there is more. Errors: none, what cannot be read counts as empty. */
  measureFolder: method({
    needs: 'desk:read',
    parseInput: z.object({ folder: z.string().min(1).max(4_096) }).parse,
    parseOutput: z.object({ bytes: z.number().min(0), files: z.number().int().min(0), complete: z.boolean() }).parse,
  }),
} satisfies Contract
