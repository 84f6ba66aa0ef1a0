import { ELSEWHERE } from '../../../session/app-state.ts'
import { clientNow } from '../../desk/app-desk.ts'
import type { DeviceClient } from '../../desk/device-connection.ts'
import type { EditorCalls } from '../editor/editor-parts.ts'
import { datasetSource } from './dataset-source.ts'
import { datasetTexts } from './dataset-texts.ts'
import { deviceSource } from './device-source.ts'
import type { FileSource } from './file-source.ts'

/** The place that an app state's `device` names: a device's home, or the datasets. */
export const sourceOf = (client: DeviceClient, device: string): FileSource =>
  device === ELSEWHERE ? datasetSource(client) : deviceSource(client, device)

/** For handlers. @throws Error  this display's device does not answer */
export const sourceNow = (device: string): FileSource => sourceOf(clientNow(), device)

/** Texts of both kinds of place, for the editor. */
export function textsOf(client: DeviceClient): EditorCalls {
  const shared = datasetTexts(client)
  const of = (device: string): EditorCalls => (device === ELSEWHERE ? shared : client)
  return {
    readText: ({ device, path, seen }) =>
      device === ELSEWHERE ? shared.readText({ device, path, ...(seen && { seen }) }) : client.readText({ device, path }),
    lastText: (at) => of(at.device).lastText(at),
    writeText: (file) => of(file.device).writeText(file),
  }
}
