import { useEffect, useState } from 'react'
import type { MachineLoad, ProcessRow } from '../../../jobs/terminal-contract.ts'
import { useClient } from '../../desk/app-desk.ts'

export interface MachineProcesses {
  readonly load: MachineLoad | undefined
  readonly processes: readonly ProcessRow[]
  readonly error: unknown
}

/** Short enough to see a program start, long enough to be no load itself. */
const REFRESH_MS = 2_000
const NONE: MachineProcesses = { load: undefined, processes: [], error: undefined }

/** Processes of one device, renewed every 2 s while `visible` and reachable; otherwise as last seen. */
export function useProcesses(device: string, visible: boolean, reachable: boolean): MachineProcesses {
  const client = useClient()
  const [seen, setSeen] = useState(NONE)
  useEffect(() => {
    if (!client || !visible || !reachable) return
    const leaving = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const read = async () => {
      try {
        const { load, processes } = await client.listProcesses({ device }, { signal: leaving.signal })
        setSeen({ load, processes, error: undefined })
      } catch (error) {
        if (!leaving.signal.aborted) setSeen((before) => ({ ...before, error }))
      }
      if (!leaving.signal.aborted) timer = setTimeout(() => void read(), REFRESH_MS)
    }
    void read()
    return () => {
      leaving.abort()
      clearTimeout(timer)
    }
  }, [client, device, visible, reachable])
  return seen
}
