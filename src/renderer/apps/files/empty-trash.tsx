import { useEffect, useState } from 'react'
import { clientNow, useClient } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { showToast } from '../../ui/toast.tsx'
import { bytesText, countText } from '../plain-words.ts'

interface TrashSize {
  readonly entries: number
  readonly freedBytes: number
}

/** Asks once more before the trash is emptied: it cannot be undone. Says what that frees. */
export function EmptyTrash({ dataset, onClose }: { dataset: string; onClose: () => void }) {
  const client = useClient()
  const [size, setSize] = useState<TrashSize>()
  const [isEmptying, setIsEmptying] = useState(false)
  useEffect(() => {
    if (!client) return
    const leaving = new AbortController()
    client.datasetTrashSize({ dataset }, { signal: leaving.signal }).then(setSize, (failure: unknown) => {
      if (leaving.signal.aborted) return
      say(failure)
      onClose()
    })
    return () => leaving.abort()
  }, [client, dataset, onClose])
  const empty = async () => {
    setIsEmptying(true)
    try {
      const { entries } = await clientNow().emptyDatasetTrash({ dataset })
      showToast({ severity: 'done', title: `${countText(entries, 'thing is', 'things are')} gone for good` })
    } catch (failure) {
      say(failure)
    }
    onClose()
  }
  return (
    <div className="files-empty-trash" role="group" aria-label="Empty the trash">
      <p>
        {size
          ? `${countText(size.entries, 'thing goes', 'things go')} from every device. This frees ${bytesText(size.freedBytes)} here, once your other devices have heard of it. It cannot be undone.`
          : 'Looking at what is in it…'}
      </p>
      <Button onClick={onClose}>Keep it</Button>
      <Button variant="danger" disabled={!size || isEmptying} onClick={() => void empty()}>
        Empty for good
      </Button>
    </div>
  )
}

const say = (failure: unknown) => void showToast({ severity: 'error', title: 'The trash could not be emptied', body: errorWords(failure) })
