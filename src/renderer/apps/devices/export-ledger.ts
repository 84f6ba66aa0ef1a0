import { LEDGER_PAGE, type LedgerRow } from '../../../identity/ledger-contract.ts'
import type { DeviceClient } from '../../desk/device-connection.ts'
import { saveFile } from '../../ui/save-file.ts'

/** All of the ledger as a file the person saves: the one `elsewhere ledger export` writes and docs/verify.mjs checks. */
export async function exportLedger(client: DeviceClient): Promise<void> {
  const receipt = await client.ledgerReceipt({})
  const rows: LedgerRow[] = []
  for (let before = receipt.count; before > 0; ) {
    const page = await client.listLedger({ before, limit: LEDGER_PAGE })
    rows.push(...page.rows)
    before = page.rows.at(-1)?.seq ?? 0
  }
  const records = rows.reverse().map(({ body, sig }) => ({ body, sig }))
  const { anchors } = await client.listAnchors({})
  const file = { format: 'elsewhere-ledger', version: 1, device: receipt.device, records, receipt, anchors }
  saveFile('elsewhere-ledger.json', JSON.stringify(file, undefined, 1), 'application/json')
}
