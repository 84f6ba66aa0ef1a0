import * as z from 'zod'

/*
 * What Bacalhau's API says, v1 of 1.9, as far as it is read. Names and shapes are those of its published models; numbers of
 * executions' states are its own order.
 */

export const version = z.object({ GitVersion: z.string().max(200) })

const resources = z.object({ CPU: z.number().min(0).max(1e9).default(0) })
export const nodes = z.object({
  Nodes: z
    .array(
      z.object({
        Info: z.object({
          NodeType: z.string(),
          ComputeNodeInfo: z
            .object({
              ExecutionEngines: z.array(z.string()).nullish(),
              MaxCapacity: resources,
              AvailableCapacity: resources,
              EnqueuedExecutions: z.number().min(0).default(0),
            })
            .optional(),
        }),
        ConnectionState: z.object({ Status: z.string() }),
      }),
    )
    .max(10_000),
})

/** Goes into paths of calls: nothing that leads elsewhere. */
const id = z.string().regex(/^[\w-]{1,200}$/)
export const submitted = z.object({ JobID: id })
/** Its body may be anything: that it is over is seen when it is asked for. */
export const stopped = z.object({})

const JOB_STATES = ['Pending', 'Queued', 'Running', 'Completed', 'Failed', 'Stopped'] as const

/** By their numbers. */
const EXECUTION_STATES = [
  'Undefined',
  'New',
  'AskForBid',
  'AskForBidAccepted',
  'AskForBidRejected',
  'BidAccepted',
  'Running',
  'Publishing',
  'BidRejected',
  'Completed',
  'Failed',
  'Cancelled',
] as const
export type ExecutionState = (typeof EXECUTION_STATES)[number]

const message = z.string().nullish()
export const execution = z.object({
  ID: id,
  ComputeState: z.object({
    StateType: z
      .number()
      .int()
      .min(0)
      .max(EXECUTION_STATES.length - 1)
      .transform((number) => EXECUTION_STATES[number] as ExecutionState),
    Message: message,
  }),
  RunOutput: z.object({ ExitCode: z.number().int(), ErrorMsg: message }).nullish(),
  CreateTime: z.number(),
})
export type Execution = z.infer<typeof execution>
const executionList = z.object({ Items: z.array(execution).max(1_000).nullish() })
export const executions = executionList

export const job = z.object({
  Job: z.object({
    ID: id,
    Name: z.string(),
    State: z.object({ StateType: z.enum(JOB_STATES), Message: message }),
  }),
  Executions: executionList.nullish(),
})
export type Job = z.infer<typeof job>

/** Where results lie: fetched from there without a key. */
const result = z.union([
  z.object({ Type: z.literal('urlDownload'), Params: z.object({ URL: z.string().max(8_192) }) }),
  z.object({ Type: z.literal('s3PreSigned'), Params: z.object({ PreSignedURL: z.string().max(8_192) }) }),
])
export const results = z.object({ Items: z.array(z.unknown()).max(1_000).nullish() })
/** Undefined: of a kind that is not fetched. */
export function resultUrl(item: unknown): string | undefined {
  const parsed = result.safeParse(item)
  if (!parsed.success) return undefined
  return parsed.data.Type === 'urlDownload' ? parsed.data.Params.URL : parsed.data.Params.PreSignedURL
}

/** One message of a log: a piece of either output, or why there is no more. */
export const logMessage = z.object({
  value: z.object({ Type: z.number().int(), Line: z.string() }).nullish(),
  error: z.string().nullish(),
})

/** What its own refusals look like. */
export const refusal = z.object({
  Status: z.number().int().optional(),
  Message: z.string(),
  Code: z.string().default(''),
  Hint: z.string().nullish(),
  Details: z.record(z.string(), z.string()).nullish(),
})
export type Refusal = z.infer<typeof refusal>
