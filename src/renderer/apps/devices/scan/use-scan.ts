import { type RefObject, useEffect, useEffectEvent, useRef, useState } from 'react'
import type { PairingWords } from '../pairing-words.ts'
import { isMirrored, nextCamera, pageCamera } from './page-camera.ts'
import { QrReader } from './qr-reader.ts'
import { type ScanState, scanCamera } from './scan-camera.ts'
import type { PictureState } from './scan-words.ts'
import { whatIsSeen } from './scanned.ts'

export interface ScanHandle {
  readonly state: ScanState
  readonly picture: PictureState | undefined
  readonly isMirrored: boolean
  again(): void
  otherCamera(): void
  /** Looks at a picture: chosen, dropped or pasted. */
  take(file: Blob): void
  /** A text that was pasted instead. */
  takeText(text: string): void
}

/** Looks for a link, through the camera while `video` is in sight and in pictures; `onLink` hears of one at most. */
export function useScan(
  video: RefObject<HTMLVideoElement | null>,
  wanted: PairingWords['link'],
  onLink: (link: string) => void,
): ScanHandle {
  const [state, setState] = useState<ScanState>({ step: 'asking' })
  const [picture, setPicture] = useState<PictureState>()
  /** Another object is another try. */
  const [attempt, setAttempt] = useState<{ readonly cameraId: string | undefined }>({ cameraId: undefined })
  const [mirrored, setMirrored] = useState(false)
  const inSight = useInSight(video)
  const isFound = useRef(false)
  const tell = useEffectEvent((link: string) => {
    if (isFound.current) return
    isFound.current = true
    onLink(link)
  })

  // Given up while a picture is looked at, it finds nothing any more.
  useEffect(() => {
    isFound.current = false
    return () => void (isFound.current = true)
  }, [])
  useEffect(() => {
    const element = video.current
    if (!inSight || !element) return
    const stop = new AbortController()
    const reader = new QrReader()
    const say = (next: ScanState) => {
      if (stop.signal.aborted) return
      if (element.srcObject instanceof MediaStream) setMirrored(isMirrored(element.srcObject))
      setState((last) => (JSON.stringify(last) === JSON.stringify(next) ? last : next))
    }
    void scanCamera({
      camera: pageCamera,
      cameraId: attempt.cameraId,
      video: element,
      look: () => reader.readFrame(element),
      wanted,
      say,
      signal: stop.signal,
    })
      .then((link) => link !== undefined && !stop.signal.aborted && tell(link))
      .catch(() => say({ step: 'off', why: 'failed' }))
      .finally(() => reader.dispose())
    return () => {
      stop.abort()
      reader.dispose()
    }
  }, [video, wanted, inSight, attempt])

  const see = (texts: readonly string[]) => {
    const seen = whatIsSeen(texts, wanted)
    if (seen.kind !== 'link') return setPicture(seen.kind)
    if (isFound.current) return
    isFound.current = true
    onLink(seen.link)
  }
  return {
    state,
    picture,
    isMirrored: mirrored,
    again: () => setAttempt({ cameraId: attempt.cameraId }),
    otherCamera: () => {
      const stream = video.current?.srcObject
      if (stream instanceof MediaStream) void nextCamera(stream).then((cameraId) => setAttempt({ cameraId }))
    },
    take: (file) => {
      setPicture('reading')
      const reader = new QrReader() // the camera's is busy
      void reader
        .readPicture(file)
        .then(see, (error) => setPicture(error instanceof RangeError && error.message === 'too-large' ? 'too-large' : 'no-picture'))
        .finally(() => reader.dispose())
    },
    takeText: (text) => see([text]),
  }
}

/** A camera that looks at somebody who does not see it looking is off: its window is minimised or covered by another page. */
function useInSight(of: RefObject<Element | null>): boolean {
  const [isShown, setShown] = useState(true)
  const [isPageShown, setPageShown] = useState(() => !document.hidden)
  useEffect(() => {
    const element = of.current
    if (!element) return
    const observer = new IntersectionObserver(([entry]) => setShown(entry?.isIntersecting ?? true))
    observer.observe(element)
    const handleVisibility = () => setPageShown(!document.hidden)
    document.addEventListener('visibilitychange', handleVisibility)
    return () => {
      observer.disconnect()
      document.removeEventListener('visibilitychange', handleVisibility)
    }
  }, [of])
  return isShown && isPageShown
}
