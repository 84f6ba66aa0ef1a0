import * as z from 'zod'
import { imageName } from './engines/engines-contract.ts'

/*
 * The words of a job, as every room and process says them (issue: "everything that runs is a job"). Interactive, service
 * and batch are not three systems: they are three shapes of endpoints. Parse here whatever comes from outside (R21).
 */

/** Kept below Linux's limit for one argument (128 KiB), so that a job that was accepted can be started. */
const MAX_WORD = 100_000
/** Linux takes 2 MiB of arguments and environment together; a quarter of that is far above real commands, and cheap to hold. */
export const MAX_JOB_BYTES = 512 * 1024
const MAX_WORDS = 4_096
const MAX_ENDPOINTS = 64

/** No zero byte: the kernel would cut the word there and run something else than was read. */
const word = z
  .string()
  .max(MAX_WORD)
  .refine((text) => !text.includes('\0'), 'a word of a command cannot hold a zero byte')
const path = word.min(1).max(4_096)
const device = z.string().min(1).max(64)

/** Where an endpoint must be: with the person, on one device, or wherever it suits. */
export const endpointPlace = z.union([z.literal('seat'), z.literal('anywhere'), z.object({ device }).strict()])
export type EndpointPlace = z.infer<typeof endpointPlace>

const placed = { place: endpointPlace }
/** What a job is connected to. Display and audio keep a job at the seat: they are recorded, not streamed. */
export const endpoint = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('tty'), ...placed }).strict(),
  z.object({ kind: z.literal('display'), ...placed }).strict(),
  z.object({ kind: z.literal('audio'), ...placed }).strict(),
  /** `number` is absent when the program will listen, but on which port is not known before it does. */
  z.object({ kind: z.literal('port'), ...placed, number: z.number().int().min(1).max(65_535).optional() }).strict(),
  /** Read by the job: a path below its folder (`.` is all of it), or an absolute one. */
  z.object({ kind: z.literal('files-in'), ...placed, path }).strict(),
  /** Written by the job. */
  z.object({ kind: z.literal('files-out'), ...placed, path }).strict(),
])
export type Endpoint = z.infer<typeof endpoint>
export type EndpointKind = Endpoint['kind']

/**
 * What running it can change, least first. `files-only`: files in its folder. `this-machine`: packages, services,
 * processes, localhost, the device's credentials or hardware; also whatever was not understood. `world-once`: something
 * outside that cannot be taken back by running it again (git push, terraform apply). Only `files-only` is ever placed
 * elsewhere by itself, or tried again by itself.
 */
export const effects = z.enum(['files-only', 'this-machine', 'world-once'])
export type Effects = z.infer<typeof effects>

/** What it needs. Absent: not known, which is not the same as none. */
export const jobResources = z
  .object({
    /** Most memory it is expected to hold, and where the sandbox ends it. */
    memoryMiB: z.number().int().min(1).max(16_777_216).optional(),
    /** Cores it can keep busy. */
    cores: z.number().min(0.1).max(4_096).optional(),
    /** Programs that must be there, as typed: `cargo`, `ffmpeg`. */
    tools: z.array(word.min(1).max(256)).max(64).optional(),
    /** Processor architecture as Node names it; absent: any. */
    architecture: z.string().max(16).optional(),
    /** May it reach the network? Without: the sandbox has none. */
    network: z.boolean().optional(),
  })
  .strict()
export type JobResources = z.infer<typeof jobResources>

export const jobPolicy = z
  .object({
    /** `best`: placement decides. `here`: never elsewhere. A device: the person chose it. */
    where: z.union([z.literal('best'), z.literal('here'), z.object({ device }).strict()]),
    /** When its device is lost and effects are files only: try again elsewhere, or wait for the person. Others always wait. */
    whenLost: z.enum(['again', 'wait']),
    /** When the owner of that device comes back: hold still until it is free, or stop and try elsewhere (files only). */
    whenOwnerReturns: z.enum(['pause', 'move']),
    neverOnBattery: z.boolean(),
    /** The person allowed it, by name, to run where there is no sandbox. */
    withoutSandbox: z.boolean(),
    /** What it runs in, on an engine that runs images. */
    image: imageName.optional(),
  })
  .strict()
export type JobPolicy = z.infer<typeof jobPolicy>

export const DEFAULT_POLICY: JobPolicy = {
  where: 'best',
  whenLost: 'wait',
  whenOwnerReturns: 'pause',
  neverOnBattery: false,
  withoutSandbox: false,
}

/** One request to run a program. */
export const jobSpec = z
  .object({
    /** As typed: a name looked up on PATH, or a path. */
    program: word.min(1).max(4_096),
    arguments: z.array(word).max(MAX_WORDS),
    environment: z.record(word.min(1).max(256), word).refine((all) => Object.keys(all).length <= MAX_WORDS, 'too many variables'),
    /** Where it was asked for. Paths on two devices are two places, so the device belongs to it. */
    folder: z.object({ device, path }).strict(),
    endpoints: z.array(endpoint).max(MAX_ENDPOINTS),
    effects,
    resources: jobResources,
    policy: jobPolicy,
  })
  .strict()
  .refine((spec) => jobCharacters(spec) <= MAX_JOB_BYTES, `arguments and environment are over ${MAX_JOB_BYTES / 1024} KiB`)
export type JobSpec = z.infer<typeof jobSpec>

function jobCharacters({
  arguments: words,
  environment,
}: {
  arguments: readonly string[]
  environment: Readonly<Record<string, string>>
}): number {
  let total = 0
  for (const one of words) total += one.length
  for (const [name, value] of Object.entries(environment)) total += name.length + value.length
  return total
}

/**
 * batch: ends by itself. service: listens or watches until it is stopped. interactive: needs the person's terminal,
 * display or devices. ambiguous: the same line does either, and only running it tells.
 */
export const jobLabel = z.enum(['batch', 'service', 'interactive', 'ambiguous'])
export type JobLabel = z.infer<typeof jobLabel>

/** What a command line is taken to be, and why. */
export const classification = z.object({
  label: jobLabel,
  endpoints: z.array(endpoint).max(MAX_ENDPOINTS),
  effects,
  /** 0 to 1: how often such a line is what it was taken for. */
  confidence: z.number().min(0).max(1),
  /** One sentence for a person. */
  reason: z.string().max(400),
  /** Programs that really run at the end of every alias, as typed; at most 16. */
  programs: z.array(z.string().max(256)).max(16),
})
export type Classification = z.infer<typeof classification>
