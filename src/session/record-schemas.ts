import * as z from 'zod'
import { MAX_TABS } from './session-state.ts'
import { MAX_ORDER_LENGTH } from './order.ts'
import { isSessionId } from './session-ids.ts'
import type { JsonValue, RecordValue } from './record-value.ts'

/*
 * Records come from other devices: each is parsed where it is read, and one that does not parse counts as absent (rule SE3). It stays
 * in the document: a later version may have written it.
 */
const id = z.string().refine(isSessionId)
const time = z.number().min(0).max(1e15)
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const key = z.string().min(1).max(256)
const json = z.custom<JsonValue>((value) => value !== undefined)
const present = z.custom<RecordValue>((value) => value !== undefined && value !== null)

export const name = z.string().min(1).max(80)
export const hue = z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3), z.literal(4), z.literal(5), z.literal(6), z.literal(7)])
export const order = z
  .string()
  .regex(/^[0-9A-Za-z]+$/)
  .max(MAX_ORDER_LENGTH)
export const exists = z.literal(true)
export const rank = count
export const flag = z.boolean()
export const schemaVersion = z.number().int().min(1).max(1e6)
export const timeMs = time
export const sessionId = id

/** Where a tab is. `activity` says where to put its window if that lost its own records to a concurrent close. */
export const tabPlace = z.object({ window: id, order, activity: id })

/** Largest number of records one closed window or undo entry carries: what removing an activity with every tab there may be takes. */
const MAX_CARRIED = 6 * MAX_TABS

export const closedItem = z.object({
  kind: z.enum(['window', 'tab']),
  title: z.string().max(200),
  atMs: time,
  seq: count,
  records: z.array(z.tuple([key, present])).max(MAX_CARRIED),
})

export const undoEntry = z.object({
  seq: count,
  atMs: time,
  label: z.string().max(200),
  group: z.string().max(120).optional(),
  steps: z.array(z.tuple([key, json, json])).max(MAX_CARRIED),
})

/** The parsed value, or undefined where it is absent or not what it should be. */
export function read<T>(schema: z.ZodType<T>, value: unknown): T | undefined {
  if (value === undefined) return undefined
  const result = schema.safeParse(value)
  return result.success ? result.data : undefined
}
