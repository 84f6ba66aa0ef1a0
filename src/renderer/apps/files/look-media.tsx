import { useState } from 'react'
import type { OpenView } from './file-view.ts'
import { Failed } from './look-states.tsx'

/** A picture, film or sound. Drawn and played by the browser from bytes alone; films and sounds are read as far as they are played. */
export function LookMedia(props: { kind: 'picture' | 'video' | 'audio'; view: OpenView; name: string; onFact: (fact: string) => void }) {
  const { kind, view, name, onFact } = props
  const [failed, setFailed] = useState(false)
  if (failed) {
    const code = kind === 'picture' ? 'files/not-an-image' : 'files/not-playable'
    const words =
      kind === 'picture'
        ? 'Its bytes are not an image this display can draw.'
        : 'This display cannot play it; download it to play it in another program.'
    return <Failed error={Object.assign(new Error(words), { code })} />
  }
  const onError = () => setFailed(true)
  if (kind === 'picture') {
    return (
      <div className="look-picture">
        <img
          src={view.path}
          alt={name}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => onFact(`${naturalWidth} × ${naturalHeight}`)}
          onError={onError}
        />
      </div>
    )
  }
  const onMetadata = ({ currentTarget }: { currentTarget: HTMLMediaElement }) => onFact(lengthText(currentTarget.duration))
  return (
    <div className="look-media" data-kind={kind}>
      {kind === 'video' ? (
        // oxlint-disable-next-line jsx-a11y/media-has-caption -- the person's own film; what captions it has are in it
        <video src={view.path} controls preload="metadata" aria-label={name} onLoadedMetadata={onMetadata} onError={onError} />
      ) : (
        // oxlint-disable-next-line jsx-a11y/media-has-caption -- as above
        <audio src={view.path} controls preload="metadata" aria-label={name} onLoadedMetadata={onMetadata} onError={onError} />
      )}
    </div>
  )
}

/** `0:07`, `1:02:45`; empty where it has no known end. */
export function lengthText(seconds: number): string {
  if (!Number.isFinite(seconds)) return ''
  const whole = Math.round(seconds)
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}
