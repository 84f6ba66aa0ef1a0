import { CameraOff, Image, SwitchCamera } from 'lucide-react'
import { type ClipboardEvent, type DragEvent, useEffect, useRef, useState } from 'react'
import { Button } from '../../../ui/button.tsx'
import { Spinner } from '../../../ui/spinner.tsx'
import type { PairingWords } from '../pairing-words.ts'
import { lookingWords, OFF_WORDS, pictureWords } from './scan-words.ts'
import { useScan } from './use-scan.ts'
import './scan.css'

/** What a file dialog offers; what is in the file is looked at all the same. */
const PICTURES = 'image/png,image/jpeg,image/webp,image/gif'

/** The camera of this display looks for the QR code that the other one shows; a picture of it does as well (rule AP62). */
export default function ScanPanel(props: { words: PairingWords; onLink: (link: string) => void; onCancel: () => void }) {
  const { words, onLink, onCancel } = props
  const panel = useRef<HTMLElement>(null)
  const video = useRef<HTMLVideoElement>(null)
  const chooser = useRef<HTMLInputElement>(null)
  const [isOver, setOver] = useState(false)
  const scan = useScan(video, words.link, onLink)
  const { state, picture } = scan
  useEffect(() => panel.current?.focus(), []) // a picture can be pasted at once

  const takeFirst = (files: FileList): boolean => {
    const file = [...files].find(({ type }) => type.startsWith('image/')) ?? files[0]
    if (file) scan.take(file)
    return file !== undefined
  }
  const handlePaste = (event: ClipboardEvent) => {
    event.preventDefault()
    if (!takeFirst(event.clipboardData.files)) scan.takeText(event.clipboardData.getData('text/plain'))
  }
  const handleDrag = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes('Files')) return
    event.preventDefault()
    event.dataTransfer.dropEffect = 'copy'
    setOver(true)
  }
  const handleDrop = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes('Files')) return
    event.preventDefault()
    setOver(false)
    takeFirst(event.dataTransfer.files)
  }
  const off = state.step === 'off' ? OFF_WORDS[state.why] : undefined
  return (
    <section
      ref={panel}
      className="pairing scan"
      aria-label={words.scanTitle}
      tabIndex={-1}
      data-over={isOver || undefined}
      onPaste={handlePaste}
      onDragOver={handleDrag}
      onDragLeave={() => setOver(false)}
      onDrop={handleDrop}
    >
      <h3>{words.scanTitle}</h3>
      <div className="scan-view" data-step={state.step}>
        <video ref={video} muted playsInline aria-label="What the camera sees" data-mirrored={scan.isMirrored || undefined} />
        {state.step === 'looking' && <span className="scan-frame" aria-hidden="true" />}
        {state.step === 'asking' && <Spinner />}
        {off && (
          <div role="alert" className="scan-off">
            <CameraOff aria-hidden="true" />
            <strong>{off[0]}</strong>
            <p>{off[1]}</p>
            <Button onClick={scan.again}>Try again</Button>
          </div>
        )}
      </div>
      {!off && (
        <p role="status" className="pairing-hint scan-line">
          {lookingWords(state, words)}
        </p>
      )}
      {picture && (
        <p role={picture === 'reading' ? 'status' : 'alert'} className="scan-picture">
          {pictureWords(picture, words)}
        </p>
      )}
      <div className="pairing-actions">
        <Button onClick={onCancel}>Cancel</Button>
        <Button icon={<Image aria-hidden="true" />} onClick={() => chooser.current?.click()}>
          Use a picture…
        </Button>
        {state.step === 'looking' && state.cameras > 1 && (
          <Button icon={<SwitchCamera aria-hidden="true" />} onClick={scan.otherCamera}>
            Other camera
          </Button>
        )}
      </div>
      <input
        ref={chooser}
        type="file"
        hidden
        accept={PICTURES}
        aria-label="Picture of the code"
        onChange={({ target }) => {
          const [file] = target.files ?? []
          if (file) scan.take(file)
          target.value = ''
        }}
      />
      <p className="pairing-hint">A picture can also be dropped or pasted here. Nothing the camera sees leaves this display.</p>
    </section>
  )
}
