import type * as z from 'zod'

/** What others have answered, if it is JSON of that shape; undefined: it is something else. Never throws. */
export function parseAnswer<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
