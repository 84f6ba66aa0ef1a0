import { FileKey2 } from 'lucide-react'
import { type FormEvent, useRef, useState } from 'react'
import { toBase64Url } from '../../base/bytes.ts'
import type { DoorState } from '../../device/desk/desk-contract.ts'
import type { DeviceClient } from '../desk/device-connection.ts'
import { setDoor } from '../desk/door-store.ts'
import { Button } from '../ui/button.tsx'
import { errorWords } from '../ui/error-words.ts'
import { Field } from '../ui/field.tsx'
import { useNewPassphrase } from './new-passphrase.tsx'

/** As the device reads it. */
const MAX_FILE_BYTES = 1_280 * 1024
const WORD_COUNT = 14

/** A bare machine and a recovery kit: file, words, a new passphrase, and it is one of the person's devices again. */
export function RestoreScreen({ door, client, onBack }: { door: DoorState; client: DeviceClient | undefined; onBack: () => void }) {
  const picker = useRef<HTMLInputElement>(null)
  const [step, setStep] = useState(0)
  const [file, setFile] = useState<File>()
  const [words, setWords] = useState('')
  const [deviceName, setDeviceName] = useState(door.deviceName)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const chosen = useNewPassphrase([deviceName], { autoFocus: true })
  const count = words.split(/[^A-Za-z]+/).filter((part) => part !== '').length
  const ready = [file !== undefined && count >= WORD_COUNT, chosen.ready && deviceName.trim() !== '' && client !== undefined][step]

  const take = (files: FileList | null) => {
    const given = files?.[0]
    if (!given) return
    setError(given.size > MAX_FILE_BYTES ? 'This file is too large to be a recovery kit.' : undefined)
    setFile(given.size > MAX_FILE_BYTES ? undefined : given)
  }
  const next = async (event: FormEvent) => {
    event.preventDefault()
    if (!ready || busy) return
    setError(undefined)
    if (step === 0) return setStep(1)
    setBusy(true)
    try {
      const kit = toBase64Url(new Uint8Array(await (file as File).arrayBuffer()))
      const { passphrase } = chosen
      setDoor(await (client as DeviceClient).restoreVault({ kit, words, passphrase, deviceName: deviceName.trim(), unattended: false }))
    } catch (cause) {
      setError(errorWords(cause))
      setBusy(false)
      setStep(0) // file and words are what can be wrong
    }
  }

  return (
    <section className="card" aria-labelledby="restore-title">
      <form onSubmit={next}>
        {step === 0 ? (
          <>
            <h1 id="restore-title">Get everything back</h1>
            <p className="lead">The file of your recovery kit and the words from its page make this machine one of your devices again.</p>
            <div
              className="kit-file"
              data-chosen={file ? '' : undefined}
              onDragOver={(event) => event.preventDefault()}
              onDrop={(event) => {
                event.preventDefault()
                take(event.dataTransfer.files)
              }}
            >
              <FileKey2 aria-hidden="true" />
              <span>{file ? file.name : 'Drop the file here, or'}</span>
              <Button onClick={() => picker.current?.click()}>{file ? 'Another' : 'Choose file'}</Button>
              <input
                ref={picker}
                type="file"
                aria-label="File of the kit"
                className="visually-hidden"
                tabIndex={-1}
                onChange={(event) => take(event.target.files)}
              />
            </div>
            <label className="kit-words">
              <span>Words from the page</span>
              <textarea
                rows={3}
                value={words}
                autoComplete="off"
                autoCapitalize="none"
                spellCheck={false}
                placeholder="The 14 words in their order; the first four letters of each will do"
                onChange={(event) => setWords(event.target.value)}
              />
              <small role="status">{count === 0 ? ' ' : count < WORD_COUNT ? `${count} of ${WORD_COUNT} words` : `${count} words`}</small>
            </label>
          </>
        ) : (
          <>
            <h1 id="restore-title">Protect it here</h1>
            <p className="lead">A passphrase for this machine. It need not be the one you had, and never leaves it.</p>
            {chosen.fields}
            <Field
              label="Name of this device"
              value={deviceName}
              maxLength={80}
              hint="What your other devices will call it."
              onChange={(event) => setDeviceName(event.target.value)}
            />
          </>
        )}
        {error && (
          <p role="alert" className="ui-field-note" data-error="">
            {error}
          </p>
        )}
        <div className="card-actions">
          <Button variant="quiet" disabled={busy} onClick={step === 0 ? onBack : () => setStep(0)}>
            Back
          </Button>
          <Button type="submit" variant="primary" size="large" disabled={!ready} busy={busy}>
            {step === 0 ? 'Continue' : 'Open my desk'}
          </Button>
        </div>
      </form>
    </section>
  )
}
