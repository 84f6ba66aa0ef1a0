import { useEffect, useState } from 'react'
import type { LedgerRow } from '../../../identity/ledger-contract.ts'
import { LEDGER_PAGE } from '../../../identity/ledger-contract.ts'
import { useClient } from '../../desk/app-desk.ts'
import { errorWords } from '../../ui/error-words.ts'

export interface LedgerView {
  /** Newest first; undefined until the device has answered. */
  readonly entries: readonly LedgerRow[] | undefined
  readonly error: string | undefined
  readonly hasMore: boolean
  showMore(): void
}

/** The newest entries of this device's ledger, read anew whenever there are more; the last answer stays when the connection goes. */
export function useLedger(): LedgerView {
  const client = useClient()
  const [pages, setPages] = useState(1)
  const [read, setRead] = useState<{ entries?: readonly LedgerRow[]; count: number; error?: string }>({ count: 0 })
  useEffect(() => {
    if (!client) return
    let isOver = false
    let round = 0
    const readAll = async () => {
      const mine = ++round
      try {
        const entries: LedgerRow[] = []
        let [count, before] = [0, undefined as number | undefined]
        for (let page = 0; page < pages && before !== 0; page++) {
          const answer = await client.listLedger({ limit: LEDGER_PAGE, ...(before === undefined ? {} : { before }) })
          count = answer.count
          entries.push(...answer.rows)
          before = answer.rows.at(-1)?.seq ?? 0
        }
        if (!isOver && mine === round) setRead({ entries, count })
      } catch (failure) {
        if (!isOver) setRead((last) => ({ ...last, error: errorWords(failure) }))
      }
    }
    const listening = client.onDidChangeLedger(() => void readAll())
    void readAll()
    return () => {
      isOver = true
      listening.dispose()
    }
  }, [client, pages])
  const hasMore = (read.entries?.at(-1)?.seq ?? 0) > 0
  return { entries: read.entries, error: read.error, hasMore, showMore: () => setPages(pages + 1) }
}
