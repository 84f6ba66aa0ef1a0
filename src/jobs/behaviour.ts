import * as z from 'zod'
import { toHex, utf8 } from '../base/bytes.ts'
import { sha256 } from '../base/sha256.ts'
import { MAX_SHAPE, UNSHOWN } from './behaviour-shape.ts'
import type { SeenBehaviour } from './seen-behaviour-contract.ts'
import type { ProgramDigest } from './program-identity.ts'

/*
 * What was seen of a command when it ran (rules JB100-JB107): one outcome a run, folded into a tally for each device that saw some, and
 * the tallies of all devices into a behaviour. Pure; the same on every device whatever order things arrive in.
 */

/** Folders whose times one tally keeps, newest first. */
const MAX_FOLDERS = 4
const MAX_PORTS = 4

/** One run of a command. */
export interface Outcome {
  readonly key: BehaviourKey
  /** Undefined: nobody looked on (a line of a shell). Then nothing is counted of it, and only its time is kept. */
  readonly seen: SeenBehaviour | undefined
  /** Last name of its folder: the same project on another device mostly has the same. */
  readonly folder: string
  readonly atMs: number
  /** From its start to its end. Undefined: it did not end by itself, or not well. */
  readonly tookMs: number | undefined
  /** It ended by itself: with 0, with something else; undefined: it was ended, or goes on. */
  readonly ended: 'well' | 'badly' | undefined
  /** Files it wrote; undefined: not known. */
  readonly files: number | undefined
  /** Processor time; undefined: not known. */
  readonly cpuMs: number | undefined
  /** The rest of a run that was told of when it showed what it is: `seen` is what it has shown since. */
  readonly isMore?: boolean
}

/** What a behaviour is of: a program by its bytes where they are known, else by its name; and the shape of the line. */
export interface BehaviourKey {
  readonly name: string
  readonly id: ProgramDigest | undefined
  readonly shape: string
  /** The other device that ran it, and says that its program has these bytes; what it says counts apart (rule JB109). */
  readonly on?: string
}

/** Stable, and short enough to be typed: 20 hex digits. */
export const keyText = ({ name, id, shape, on }: BehaviourKey): string =>
  toHex(sha256(utf8(`elsewhere/behaviour/1\0${id ?? name}\0${shape}${on === undefined ? '' : `\0${on}`}`))).slice(0, 20)

const MAX_COUNT = 1e9
const count = z.number().int().min(0).max(MAX_COUNT)
const ms = z.number().min(0).max(Number.MAX_SAFE_INTEGER)
/** Shown in terminals, whoever wrote it. */
const shown = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .refine((text) => !UNSHOWN.test(text))
/** As one device keeps it in the shared document. Format 1; the golden file is golden/behaviour-tally-1.json. */
export const tally = z.object({
  format: z.literal(1),
  name: shown(256),
  id: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .optional(),
  shape: shown(MAX_SHAPE),
  on: shown(64).optional(),
  times: count,
  well: count,
  badly: count,
  listened: count,
  terminal: count,
  input: count,
  atMs: ms,
  ports: z.array(z.number().int().min(1).max(65_535)).max(MAX_PORTS),
  files: count.optional(),
  cpuMs: ms.optional(),
  /** How long it took in which folder, newest first. */
  took: z.array(z.object({ folder: z.string().max(256), ms, atMs: ms })).max(MAX_FOLDERS),
})
export type Tally = z.infer<typeof tally>

/** Undefined: written by a newer version, or not by us. */
export const readTally = (value: unknown): Tally | undefined => tally.safeParse(value).data

/** One more run. Counts only grow, so that the device that keeps it may write it again at any time. */
export function countIn(before: Tally | undefined, outcome: Outcome): Tally {
  const { key, seen, folder, atMs, tookMs, ended, files, cpuMs, isMore } = outcome
  const had = before ?? { times: 0, well: 0, badly: 0, listened: 0, terminal: 0, input: 0, atMs: 0, ports: [], took: [] }
  const newest = seen?.ports.slice(0, MAX_PORTS) ?? []
  const grown = (before: number, isOne: boolean | undefined) => Math.min(MAX_COUNT, before + (seen && isOne ? 1 : 0))
  return {
    format: 1,
    name: key.name.slice(0, 256),
    ...(key.id !== undefined && { id: key.id }),
    shape: key.shape,
    ...(key.on !== undefined && { on: key.on }),
    times: grown(had.times, !isMore),
    well: grown(had.well, ended === 'well'),
    badly: grown(had.badly, ended === 'badly'),
    listened: grown(had.listened, newest.length > 0),
    terminal: grown(had.terminal, seen?.terminal || seen?.screen),
    input: grown(had.input, seen?.input),
    atMs: Math.max(had.atMs, atMs),
    ports: newest.length > 0 ? newest : had.ports,
    ...optional('files', files ?? before?.files),
    ...optional('cpuMs', cpuMs ?? before?.cpuMs),
    took:
      tookMs === undefined
        ? had.took
        : [{ folder: folder.slice(0, 256), ms: tookMs, atMs }, ...had.took.filter((one) => one.folder !== folder)].slice(0, MAX_FOLDERS),
  }
}

/** What all devices of the person saw of one command. */
export interface Behaviour {
  readonly key: string
  readonly name: string
  readonly id: ProgramDigest | undefined
  readonly shape: string
  /** The device that says it ran these bytes; undefined: those who learned it looked themselves, or it is known by its name. */
  readonly on: string | undefined
  readonly times: number
  readonly well: number
  readonly badly: number
  readonly listened: number
  readonly terminal: number
  readonly input: number
  readonly ports: readonly number[]
  readonly atMs: number
  readonly files: number | undefined
  readonly cpuMs: number | undefined
  /** Newest first. */
  readonly took: Tally['took']
  readonly devices: readonly string[]
}

/** Of one key; at least one. The same whatever order they are given in. */
export function mergeTallies(key: string, held: readonly (readonly [device: string, tally: Tally])[]): Behaviour {
  // By age, newest first; of the same moment by device.
  const sorted = [...held].sort(([a, one], [b, other]) => other.atMs - one.atMs || (a < b ? -1 : 1))
  const all = sorted.map(([, one]) => one)
  const newest = all[0] as Tally
  const sum = (of: (one: Tally) => number) => all.reduce((total, one) => total + of(one), 0)
  return {
    key,
    name: newest.name,
    id: newest.id as ProgramDigest | undefined,
    shape: newest.shape,
    on: newest.on,
    times: sum(({ times }) => times),
    well: sum(({ well }) => well),
    badly: sum(({ badly }) => badly),
    listened: sum(({ listened }) => listened),
    terminal: sum(({ terminal }) => terminal),
    input: sum(({ input }) => input),
    ports: all.find(({ ports }) => ports.length > 0)?.ports ?? [],
    atMs: newest.atMs,
    files: all.find(({ files }) => files !== undefined)?.files,
    cpuMs: all.find(({ cpuMs }) => cpuMs !== undefined)?.cpuMs,
    took: sorted
      .flatMap(([device, { took }]) => took.map((one) => ({ device, one })))
      .sort((a, b) => b.one.atMs - a.one.atMs || (a.device < b.device ? -1 : 1))
      .map(({ one }) => one),
    devices: sorted.map(([device]) => device).sort(),
  }
}

/** Ms that it took the newest time: in that folder, else in any. Undefined: it never ended well. */
export const tookMs = ({ took }: Behaviour, folder: string | undefined): number | undefined =>
  (took.find((one) => folder !== undefined && one.folder === folder) ?? took[0])?.ms

/** Last name of a path. */
export const folderName = (path: string): string => path.split('/').filter(Boolean).at(-1)?.slice(0, 256) ?? ''

const optional = <N extends string>(name: N, value: number | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { readonly [K in N]?: number }
