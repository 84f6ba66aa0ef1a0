import * as z from 'zod'

/*
 * What a job may look like, as Bacalhau 1.9 publishes it (models of its API). Stricter in one way: a name that its models do not have is
 * refused, where its JSON reader would leave it out.
 */

const spec = z.strictObject({ Type: z.string().trim().min(1), Params: z.record(z.string(), z.unknown()).default({}) })
const name = z.string().refine((text) => !text.includes('\0'), 'contains a null character')

const inputSource = z.strictObject({ Source: spec, Alias: z.string().optional(), Target: z.string().trim().min(1, 'missing a target') })
const resultPath = z.strictObject({
  Name: z.string().trim().min(1, 'missing name'),
  Path: z.string().regex(/^\//, 'result path must be absolute'),
})
const isUnique = (all: readonly string[]) => new Set(all).size === all.length

const environment = z
  .record(z.string(), z.string().min(1, 'environment variable cannot have empty value'))
  .refine((all) => Object.keys(all).every((key) => /^\p{Lu}[\p{Lu}\p{N}_]*$/u.test(key)), 'environment variable must be uppercase')
  .refine((all) => Object.keys(all).every((key) => !key.startsWith('BACALHAU_')), 'environment variable cannot start with BACALHAU_')

const seconds = z.number().int().min(0)
const task = z
  .strictObject({
    Name: name.min(1, 'missing task name'),
    Engine: spec,
    Publisher: z.strictObject({ Type: z.string().default(''), Params: z.record(z.string(), z.unknown()).optional() }).optional(),
    Env: environment.optional(),
    Meta: z.record(z.string(), z.string()).optional(),
    InputSources: z.array(inputSource).default([]),
    ResultPaths: z.array(resultPath).default([]),
    Resources: z.strictObject({ CPU: z.string(), Memory: z.string(), Disk: z.string(), GPU: z.string() }).partial().optional(),
    Network: z
      .strictObject({ Type: z.enum(['Default', 'None', 'Host', 'Full', 'HTTP', 'Bridge']), Domains: z.array(z.string()).optional() })
      .optional(),
    Timeouts: z.strictObject({ ExecutionTimeout: seconds, QueueTimeout: seconds, TotalTimeout: seconds }).partial().optional(),
  })
  .refine(({ InputSources }) => isUnique(InputSources.map(({ Target }) => Target)), 'input source with that target already exists')
  .refine(({ ResultPaths }) => isUnique(ResultPaths.map((one) => one.Name)), 'result path with that name already exists')
  .refine(({ ResultPaths, Publisher }) => ResultPaths.length === 0 || !!Publisher?.Type, 'publisher must be set if result paths are set')

const job = z.strictObject({
  Name: name.default(''),
  Namespace: z.string().default('default'),
  Type: z.enum(['batch', 'service', 'daemon', 'ops'], 'invalid job type'),
  Priority: z.number().int().optional(),
  Count: z.number().int().min(0, 'job count must be >= 0').default(1),
  Labels: z.record(z.string(), z.string()).optional(),
  Meta: z.record(z.string(), z.string()).optional(),
  Constraints: z.array(z.unknown()).optional(),
  Tasks: z.array(task).min(1, 'missing job tasks'),
})
export type FakeJobSpec = z.infer<typeof job>

export const putJobRequest = z.strictObject({ Job: job, Force: z.boolean().optional() })

const words = z.array(z.string()).default([])
export const dockerParams = z.strictObject({
  Image: z.string().min(1, "'Image' cannot be empty"),
  Entrypoint: words,
  Parameters: words,
  EnvironmentVariables: words,
  WorkingDirectory: z.string().regex(/^\//, "'WorkingDirectory' must contain absolute path").optional(),
})
export const wasmParams = z.strictObject({
  EntryModule: z.string().min(1, 'target path cannot be empty'),
  Entrypoint: z.string(),
  Parameters: words,
  ImportModules: words,
})

/** RFC 2397, in base64. @throws Error */
export function dataUrl(text: unknown): { readonly type: string; readonly bytes: Buffer } {
  const found = typeof text === 'string' ? /^data:([a-z/+.-]*);base64,([A-Za-z0-9+/]*={0,2})$/.exec(text) : null
  if (!found) throw new Error('invalid inline params: no data URL')
  return { type: found[1] as string, bytes: Buffer.from(found[2] as string, 'base64') }
}
