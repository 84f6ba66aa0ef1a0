import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import { EntryIcon } from './entry-icon.tsx'
import type { LookAt } from './file-view.ts'
import { hasThumb, makeThumb, thumbKey } from './make-thumb.ts'
import { type Thumb, Thumbs } from './thumbs.ts'

/** Of this page: gone with it. */
const thumbs = new Thumbs()

/** On a tile: a small picture of a picture, else its sign. Only tiles in sight are in the page, so only they are asked for. */
export function EntryPicture({ at }: { at: LookAt }) {
  return hasThumb(at) ? <SmallPicture at={at} key={thumbKey(at)} /> : <EntryIcon entry={at.entry} />
}

function SmallPicture({ at }: { at: LookAt }) {
  const key = thumbKey(at)
  const [thumb, setThumb] = useState<Thumb | undefined>(() => thumbs.get(key))
  const latest = useRef(at)
  useEffect(() => {
    if (thumb) return
    const asking = thumbs.ask(key, (signal) => makeThumb(latest.current, signal), setThumb)
    return () => asking.dispose()
  }, [key, thumb])
  const canvas = useRef<HTMLCanvasElement>(null)
  useLayoutEffect(() => {
    // One that was let go meanwhile has no size left: its sign is as good.
    if (!canvas.current || !thumb || thumb === 'none' || thumb.width === 0) return
    canvas.current.width = thumb.width
    canvas.current.height = thumb.height
    canvas.current.getContext('2d')?.drawImage(thumb, 0, 0)
  }, [thumb])
  if (!thumb || thumb === 'none' || thumb.width === 0) return <EntryIcon entry={at.entry} />
  return <canvas ref={canvas} className="files-thumb" aria-hidden="true" />
}
