import { useEffect } from 'react'
import { useDevices } from '../desk/devices-store.ts'
import { useDoor } from '../desk/door-store.ts'
import { measureLoad } from '../desk/follow-devices.ts'

/** While the tiles are open their devices are measured this often; closed, only this device, and rarely. */
const LOAD_OPEN_MS = 2_000
const LOAD_CLOSED_MS = 15_000

/** Measures loads while somebody can see them: all reachable devices while open, else only this one, and never while the page is hidden. */
export function useLoads(open: boolean): void {
  const client = useDoor((state) => state.client)
  useEffect(() => {
    if (!client) return
    const stop = new AbortController()
    let timer = 0
    const round = async () => {
      if (document.visibilityState === 'visible') {
        const rows = useDevices.getState().rows.filter((row) => row.state === 'self' || (open && row.state === 'linked'))
        await Promise.allSettled(rows.map((row) => measureLoad(client, row.deviceId, stop.signal)))
      }
      if (!stop.signal.aborted) timer = window.setTimeout(round, open ? LOAD_OPEN_MS : LOAD_CLOSED_MS)
    }
    void round()
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [client, open])
}
