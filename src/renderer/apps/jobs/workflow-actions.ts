import { ELSEWHERE } from '../../../session/app-state.ts'
import type { WorkflowInfo } from '../../../jobs/workflow/workflow-contract.ts'
import { errorCode } from '../../../base/errors.ts'
import { clientNow } from '../../desk/app-desk.ts'
import type { DeviceClient } from '../../desk/device-connection.ts'
import { takeWorkflow } from '../../desk/follow-workflows.ts'
import { errorWords } from '../../ui/error-words.ts'
import { showToast } from '../../ui/toast.tsx'
import { openApp } from '../app-hooks.ts'
import { readWorkflowText } from './workflow-text.ts'

/* What a person does with a workflow. Each says it when it could not be done. */

const failed = (title: string) => (error: unknown) => showToast({ title, body: errorWords(error), severity: 'error' })

export const showWorkflow = (workflow: string): void => openApp({ kind: 'jobs', page: 'workflows', workflow })

/** A file of this device, or of the datasets, as the pane has its path; its graph opens. */
export async function runWorkflowFile(device: string, path: string): Promise<void> {
  try {
    const client = clientNow()
    const text = await readWorkflowText(client, device, path)
    const info = await client.runWorkflow({ source: device === ELSEWHERE ? `Elsewhere:${path}` : path, text })
    takeWorkflow(info)
    showWorkflow(info.workflow)
  } catch (error) {
    failed('The workflow did not start')(error)
  }
}

/** Its graph as it is now; on a broken connection the next one asks again. */
export async function readWorkflow(client: Pick<DeviceClient, 'readWorkflow'>, workflow: string): Promise<void> {
  await client.readWorkflow({ workflow }).then(takeWorkflow, (error: unknown) => {
    if (!errorCode(error).startsWith('rpc/')) failed('Its graph cannot be shown')(error)
  })
}

export async function rerunWorkflow({ workflow }: Pick<WorkflowInfo, 'workflow'>): Promise<void> {
  await clientNow().rerunWorkflow({ workflow }).then(takeWorkflow, failed('It could not be run again'))
}

export async function cancelWorkflow({ workflow }: Pick<WorkflowInfo, 'workflow'>): Promise<void> {
  await clientNow().cancelWorkflow({ workflow }).catch(failed('It could not be cancelled'))
}

export async function forgetWorkflow({ workflow }: Pick<WorkflowInfo, 'workflow'>): Promise<void> {
  await clientNow().forgetWorkflow({ workflow }).catch(failed('It could not be removed'))
}
