import { bytesOfBase64 } from '../../../base/base64.ts'
import { DomainError } from '../../../base/errors.ts'
import { MAX_WORKFLOW_TEXT, TEXT_TOO_LARGE } from '../../../jobs/workflow/workflow-contract.ts'
import { ELSEWHERE } from '../../../session/app-state.ts'
import type { DeviceClient } from '../../desk/device-connection.ts'

/** Of one character of a text, at most, in UTF-8. */
const BYTES_EACH = 3

type Reads = Pick<DeviceClient, 'listDatasets' | 'datasetAt' | 'readDatasetBytes' | 'readText'>

export class WorkflowTextError extends DomainError<'workflow/too-large'> {
  override readonly name = 'WorkflowTextError'
  readonly code = TEXT_TOO_LARGE.code
}

/** A workflow's file, whole. @throws WorkflowTextError `workflow/too-large`; what reading it says */
export async function readWorkflowText(client: Reads, device: string, path: string): Promise<string> {
  const text = device === ELSEWHERE ? await readShared(client, path) : (await client.readText({ device, path })).text
  if (text.length > MAX_WORKFLOW_TEXT) throw new WorkflowTextError(TEXT_TOO_LARGE.message)
  return text
}

/** @param path  `/Home/flows/pictures.yml` */
async function readShared(client: Reads, path: string): Promise<string> {
  const [, name = '', ...names] = path.split('/')
  const found = (await client.listDatasets({})).find((one) => one.name === name)
  if (!found) throw new Error(`${name} is not open on this device`)
  const { dataset } = found
  const { node, bytes } = await client.datasetAt({ dataset, path: `/${names.join('/')}` })
  if (bytes > BYTES_EACH * MAX_WORKFLOW_TEXT) throw new WorkflowTextError(TEXT_TOO_LARGE.message)
  const { base64 } = await client.readDatasetBytes({ dataset, node, offset: 0, length: Math.max(1, bytes) })
  return new TextDecoder().decode(bytesOfBase64(base64))
}
