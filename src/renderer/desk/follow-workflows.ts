import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { countSteps, type WorkflowInfo, type WorkflowRow } from '../../jobs/workflow/workflow-contract.ts'
import type { DeviceClient } from './device-connection.ts'
import { addMessage, type DeskMessage } from './messages-store.ts'
import { useWorkflows, withWorkflow } from './workflows-store.ts'

/** One that took less was waited for: its graph says how it ended. */
const WORTH_TELLING_MS = 10_000

/** Keeps `useWorkflows` equal to what the device tells; what it knows from before is asked for when somebody looks. */
export function followWorkflows(client: DeviceClient): Disposable {
  const heard = new DisposableStore()
  useWorkflows.setState({ loaded: false })
  heard.add(client.onDidChangeWorkflow(takeWorkflow))
  heard.add(
    client.onDidForgetWorkflow(({ workflow }) =>
      useWorkflows.setState(({ workflows, graphs }) => ({
        workflows: workflows.filter((one) => one.workflow !== workflow),
        graphs: new Map([...graphs].filter(([one]) => one !== workflow)),
      })),
    ),
  )
  return heard
}

/** The history, asked for once for each connection. */
export async function loadWorkflows(client: Pick<DeviceClient, 'listWorkflows'>): Promise<void> {
  const list = await client.listWorkflows({}).catch(() => undefined) // the connection broke: the next one asks again
  if (list) useWorkflows.setState({ workflows: list, loaded: true })
}

/** A workflow as its device says it is now. */
export function takeWorkflow(info: WorkflowInfo): void {
  const before = useWorkflows.getState().workflows.find(({ workflow }) => workflow === info.workflow)
  const { workflow, name, source, state, startedAtMs, endedAtMs, steps } = info
  if (state === undefined || startedAtMs === undefined) return // it was only looked at
  const row = { workflow, name, source, state, startedAtMs, ...(endedAtMs !== undefined && { endedAtMs }), counts: countSteps(steps) }
  useWorkflows.setState(({ workflows, graphs }) => ({
    workflows: withWorkflow(workflows, row),
    graphs: new Map(graphs).set(workflow, info),
  }))
  const message = workflowEndMessage(before, info)
  if (message) addMessage(message)
}

/** What is said of one that has just ended; undefined: nothing. Pure. */
export function workflowEndMessage(before: Pick<WorkflowRow, 'state'> | undefined, info: WorkflowInfo): DeskMessage | undefined {
  const { state, startedAtMs = 0, endedAtMs = 0, name, workflow, steps } = info
  if (before?.state !== 'running' || (state !== 'done' && state !== 'failed') || endedAtMs - startedAtMs < WORTH_TELLING_MS)
    return undefined
  const failed = steps.find((step) => step.state === 'failed')
  return {
    id: `workflow:${workflow}`,
    code: `workflow/${state}`,
    severity: failed ? 'warn' : 'info',
    title: failed ? `${name} failed` : `${name} is done`,
    body: failed ? `${failed.step}: ${failed.error?.message ?? ''}` : `${steps.filter((step) => step.state === 'done').length} steps ran`,
    atMs: endedAtMs,
    about: { kind: 'workflow', workflow },
  }
}
