import { useEffect, useState } from 'react'
import type { DatasetStatus } from '../../../files/dataset-contract.ts'
import { useClient } from '../../desk/app-desk.ts'

/** What this device has cached changes without an event: looked at this often. */
const REFRESH_MS = 5_000
/** While many files are written the numbers need not change with each. */
const SETTLE_MS = 250

/** The person's datasets and how safe they are, while `visible`. Empty until the device has opened them. */
export function useDatasets(visible: boolean): readonly DatasetStatus[] {
  const client = useClient()
  const [datasets, setDatasets] = useState<readonly DatasetStatus[]>([])
  useEffect(() => {
    if (!client || !visible) return
    const leaving = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let isSoon = false
    const readIn = (waitMs: number) => {
      clearTimeout(timer)
      timer = setTimeout(() => void read(), waitMs)
    }
    const read = async () => {
      isSoon = false
      try {
        const options = { signal: leaving.signal }
        const list = await client.listDatasets({}, options)
        setDatasets(await Promise.all(list.map(({ dataset }) => client.datasetStatus({ dataset }, options))))
      } catch {
        // closed or away: the last known stay in sight, and the folder itself says what is wrong
      }
      if (!leaving.signal.aborted) readIn(REFRESH_MS)
    }
    const watching = client.onDidChangeDataset(() => {
      if (!isSoon) readIn(SETTLE_MS) // changes that never pause must not put it off for ever
      isSoon = true
    })
    void read()
    return () => {
      leaving.abort()
      watching.dispose()
      clearTimeout(timer)
    }
  }, [client, visible])
  return datasets
}
