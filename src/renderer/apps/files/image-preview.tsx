import { ArrowLeft } from 'lucide-react'
import { useEffect, useState } from 'react'
import type { FileEntry } from '../../../files/home-files-contract.ts'
import { Button } from '../../ui/button.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { useClient } from '../../desk/app-desk.ts'
import { useIsLate } from '../app-hooks.ts'
import { bytesText } from '../plain-words.ts'
import { imageType } from './folder-view.ts'
import { sourceOf } from './source-of.ts'

/** An image in the place of its folder. It is drawn from bytes the device read; it never runs anything. */
export function ImagePreview(props: { device: string; path: string; entry: FileEntry; onClose: () => void }) {
  const client = useClient()
  const [url, setUrl] = useState<string>()
  const [error, setError] = useState<unknown>()
  const [size, setSize] = useState<{ width: number; height: number }>()
  const { device, path, entry } = props

  useEffect(() => {
    if (!client) return
    const leaving = new AbortController()
    let made: string | undefined
    sourceOf(client, device)
      .readBytes(path, { signal: leaving.signal })
      .then((bytes) => {
        if (leaving.signal.aborted) return // nobody would take its address back
        made = URL.createObjectURL(new Blob([bytes], { type: imageType(entry.name) }))
        setUrl(made)
      })
      .catch((failure: unknown) => !leaving.signal.aborted && setError(failure))
    return () => {
      leaving.abort()
      if (made) URL.revokeObjectURL(made)
    }
  }, [client, device, path, entry.name])
  const late = useIsLate(!url && !error)

  return (
    <div className="files-preview" onKeyDown={(event) => (event.key === 'Escape' || event.key === 'Backspace') && props.onClose()}>
      <div className="app-bar">
        <Button variant="quiet" autoFocus icon={<ArrowLeft aria-hidden="true" />} onClick={props.onClose}>
          Back to the folder
        </Button>
        <span className="app-bar-fill" />
        <span className="files-preview-facts numbers">
          {entry.name} · {bytesText(entry.bytes)}
          {size && ` · ${size.width} × ${size.height}`}
        </span>
      </div>
      <div className="files-preview-body">
        {error !== undefined ? (
          <ErrorState title="The image could not be read" error={error} safe="The file is untouched." />
        ) : url ? (
          <img
            src={url}
            alt={entry.name}
            onLoad={(event) => setSize({ width: event.currentTarget.naturalWidth, height: event.currentTarget.naturalHeight })}
            onError={() =>
              setError(Object.assign(new Error('Its bytes are not an image this display can draw.'), { code: 'files/not-an-image' }))
            }
          />
        ) : (
          late && <Skeleton lines={6} label="Reading the image" />
        )}
      </div>
    </div>
  )
}
