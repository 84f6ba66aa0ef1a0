import { useEffect, useState } from 'react'
import { ELSEWHERE } from '../../../session/app-state.ts'
import { useClient } from '../../desk/app-desk.ts'
import type { DeviceClient } from '../../desk/device-connection.ts'
import { followLinks } from './dataset-source.ts'
import type { PaneEntry } from './file-source.ts'

/** Something in a pane that is looked at. */
export interface LookAt {
  readonly device: string
  readonly path: string
  readonly entry: PaneEntry
}

/** Where the bytes of a file can be asked for, until it is closed or the display locks. */
export interface OpenView {
  readonly path: string
  readonly type: string
  readonly bytes: number
}

type Calls = Pick<DeviceClient, 'openFileView' | 'closeFileView' | 'listDatasets' | 'datasetAt'>

/** Opens a file by its place. A link is followed where it stays in its place. Close it again with `closeView`. */
export async function openView(
  client: Calls,
  { device, path, entry }: Pick<LookAt, 'device' | 'path'> & { readonly entry?: PaneEntry },
  options: { readonly signal?: AbortSignal; readonly isDownload?: boolean } = {},
): Promise<OpenView> {
  const { signal, isDownload = false } = options
  const of = device === ELSEWHERE ? await sharedOf(client, path, entry) : { device, path }
  signal?.throwIfAborted()
  const view = await client.openFileView({ of, isDownload })
  if (signal?.aborted) closeView(client, view)
  signal?.throwIfAborted()
  return view
}

/** A view that cannot be closed now is gone with the connection. */
export const closeView = (client: Calls, { path }: Pick<OpenView, 'path'>): void =>
  void client.closeFileView({ path }).catch(() => undefined)

async function sharedOf(client: Calls, path: string, entry: PaneEntry | undefined) {
  if (entry?.kind === 'file' && entry.shared) {
    const { dataset, node, version } = entry.shared
    return { dataset, node, version }
  }
  const { dataset, info } = await followLinks(client, path)
  return { dataset, node: info.node, version: info.version }
}

export interface ViewState {
  readonly view: OpenView | undefined
  readonly error: unknown
}

const NOT_YET: ViewState = { view: undefined, error: undefined }

/** The view of a file while something shows it. `isWanted`: not before. Another version is another view. */
export function useFileView({ device, path, entry }: LookAt, isWanted: boolean): ViewState {
  const client = useClient()
  const key = `${device} ${path} ${entry.shared?.version ?? `${entry.bytes} ${entry.modifiedMs}`}`
  const [state, setState] = useState<ViewState & { readonly key: string }>({ ...NOT_YET, key })
  // The entry is another object after each reading of its folder; what it names is in the key.
  useEffect(() => {
    if (!client || !isWanted) return
    const leaving = new AbortController()
    let opened: OpenView | undefined
    openView(client, { device, path, entry }, { signal: leaving.signal }).then(
      (view) => {
        opened = view
        setState({ view, error: undefined, key })
      },
      (error: unknown) => !leaving.signal.aborted && setState({ view: undefined, error, key }),
    )
    return () => {
      leaving.abort()
      if (opened) closeView(client, opened)
    }
    // oxlint-disable-next-line react/exhaustive-deps
  }, [client, key, isWanted])
  return state.key === key ? state : NOT_YET
}
