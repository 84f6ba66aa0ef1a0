import * as z from 'zod'

/*
 * What grants to programs give one asker here (rules JB91-JB93). The device, which has the grants, says them; the host, which has the
 * files, looks what the program is. Who asks for the job has no say in either.
 */

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)
const absolute = z
  .string()
  .min(2)
  .max(4_096)
  .startsWith('/')
  .refine((text) => !text.includes('\0'))

/** One grant. */
export const programRight = z.object({
  /** Names it between device and host. */
  grant: z.string().min(1).max(64),
  /** What the program may be: one, or for a publisher each that it released. Absent: any. */
  ids: z.array(digest).max(1_024).optional(),
  /** It may run here. */
  runs: z.boolean(),
  /** A folder of this machine that it may see, where the program finds it. */
  folder: z.object({ hostPath: absolute, path: absolute, mayWrite: z.boolean() }).optional(),
})
export type ProgramRight = z.infer<typeof programRight>

export const programRights = z.object({
  /** The asker may run nothing here but by one of these. */
  needed: z.boolean(),
  rights: z.array(programRight).max(256),
})
export type ProgramRights = z.infer<typeof programRights>
