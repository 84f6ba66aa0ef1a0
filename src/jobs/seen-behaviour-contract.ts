import * as z from 'zod'
import { jobLabel } from './job-contract.ts'

export const behaviourKey = z.string().regex(/^[0-9a-f]{20}$/)

/** What a run showed, as the host that ran it tells it. */
export const seenBehaviour = z.object({
  /** It listened on these. */
  ports: z.array(z.number().int().min(1).max(65_535)).max(64),
  /** It read a terminal. */
  terminal: z.boolean(),
  /** It stood still for its standard input. */
  input: z.boolean(),
  /** It drew on the whole screen (the alternate screen of a terminal). */
  screen: z.boolean(),
})
export type SeenBehaviour = z.infer<typeof seenBehaviour>

/** What is known of one line that is asked about or run. */
export const learnedNote = z.object({
  key: behaviourKey,
  /** For a person: `seen 3 times on your devices: took 42 s, wrote 3 files`. */
  words: z.string().max(400),
  /** What its words alone make of it. */
  was: jobLabel,
})
export type LearnedNote = z.infer<typeof learnedNote>
