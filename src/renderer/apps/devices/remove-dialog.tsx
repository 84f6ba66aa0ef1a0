import { useState } from 'react'
import { errorWords } from '../../ui/error-words.ts'
import type { DeviceRow } from '../../../sync/links-contract.ts'
import { clientNow } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { showToast } from '../../ui/toast.tsx'
import { removalWords } from './removal-words.ts'

/** Removing cannot be undone by a press: the keys of that device are no longer trusted. So this one asks. */
export function RemoveDialog({ row, onClose }: { row: DeviceRow; onClose: () => void }) {
  const [busy, setBusy] = useState(false)
  const { body, press, isOnlyAsking } = removalWords(row)
  const remove = async () => {
    setBusy(true)
    try {
      await clientNow().removeDevice({ deviceId: row.deviceId })
      showToast({
        severity: 'done',
        title: `${row.name} was removed`,
        body: 'Your other devices have new keys. Link it again with a code.',
      })
      onClose()
    } catch (error) {
      const title = isOnlyAsking ? `Asked to remove ${row.name}` : `${row.name} could not be removed`
      showToast({ severity: isOnlyAsking ? 'warn' : 'error', title, body: errorWords(error) })
      if (isOnlyAsking) onClose()
      setBusy(false)
    }
  }
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Remove ${row.name}?`}
      description={body}
      actions={
        <>
          <Button variant="quiet" autoFocus onClick={onClose}>
            {press ? 'Keep it' : 'Close'}
          </Button>
          {press && (
            <Button variant="danger" busy={busy} onClick={() => void remove()}>
              {press}
            </Button>
          )}
        </>
      }
    />
  )
}
