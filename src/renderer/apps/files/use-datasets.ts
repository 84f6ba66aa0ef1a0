import { useEffect, useState } from 'react'
import type { DatasetStatus } from '../../../files/dataset-contract.ts'
import { useClient } from '../../desk/app-desk.ts'
import { keepReading } from './keep-reading.ts'

/** What this device has cached changes without an event: looked at this often. */
const REFRESH_MS = 5_000
/** While a dataset comes from another device: how far it is is shown. */
const LOADING_MS = 1_000
/** While many files are written the numbers need not change with each. */
const SETTLE_MS = 250

/** The person's datasets and how safe they are, while `visible`. Empty until the device has opened them. */
export function useDatasets(visible: boolean): readonly DatasetStatus[] {
  const client = useClient()
  const [datasets, setDatasets] = useState<readonly DatasetStatus[]>([])
  useEffect(() => {
    if (!client || !visible) return
    const reading = keepReading(async (signal) => {
      try {
        const list = await client.listDatasets({}, { signal })
        const now = await Promise.all(list.map(({ dataset }) => client.datasetStatus({ dataset }, { signal })))
        setDatasets(now)
        if (now.some(({ loading }) => loading)) return LOADING_MS
      } catch {
        // closed or away: the last known stay in sight, and the folder itself says what is wrong
      }
      return REFRESH_MS
    }, SETTLE_MS)
    const watching = client.onDidChangeDataset(() => reading.readSoon())
    return () => {
      watching.dispose()
      reading.dispose()
    }
  }, [client, visible])
  return datasets
}
