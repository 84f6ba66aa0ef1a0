import { CircleCheck, Copy, Link2, MonitorSmartphone, Smartphone, X } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { Details } from '../../ui/error-state.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { Spinner } from '../../ui/spinner.tsx'
import { useNow } from '../app-hooks.ts'
import { countdownText } from '../plain-words.ts'
import { QrCode } from '../../ui/qr-code.tsx'
import { showToast } from '../../ui/toast.tsx'
import { codeParts, readJoinLink, readPairingCode } from './pairing-code.ts'
import type { PairingHandle } from './use-pairing.ts'

/** Brings two devices together: one shows a code, the other types it, and both people see both names before they agree. */
export function PairingPanel({ pairing, onClose }: { pairing: PairingHandle; onClose: () => void }) {
  const { state, busy } = pairing
  const leave = () => {
    pairing.cancel()
    onClose()
  }
  switch (state.step) {
    case 'idle':
      return <Begin pairing={pairing} onClose={onClose} />
    case 'offering':
      return <Offering pairing={pairing} onClose={leave} />
    case 'joining':
      return (
        <section className="pairing" aria-label="Pairing">
          <p role="status" className="pairing-wait">
            <Spinner /> Looking for the other device…
          </p>
          <p className="pairing-hint">Both devices need a way to meet: the same network, or a rendezvous that both know.</p>
          <Button onClick={leave}>Cancel</Button>
        </section>
      )
    case 'confirm':
      return (
        <section className="pairing" aria-label="Pairing">
          <h3>{state.role === 'join' && state.personName ? `Join ${state.personName}’s devices?` : 'Is this your other device?'}</h3>
          <p className="pairing-names">
            <strong>{state.ownName}</strong>
            <Link2 aria-label="and" />
            <strong>{state.peerName}</strong>
          </p>
          {state.personName && (
            <p className="pairing-hint">
              {state.role === 'join'
                ? `${state.ownName} becomes a device of ${state.personName}.`
                : `${state.peerName} becomes a device of ${state.personName}.`}
            </p>
          )}
          {state.safetyWords && state.safetyWords.length > 0 && (
            <>
              <p>These words must be the same on both screens:</p>
              <p className="pairing-words">{state.safetyWords.join(' ')}</p>
            </>
          )}
          <p className="pairing-hint">
            Once linked, both show the same desk and reach each other’s files and terminals. You can remove either at any time.
          </p>
          <div className="pairing-actions">
            <Button onClick={() => pairing.confirm(false)}>No, stop</Button>
            <Button variant="primary" busy={busy} onClick={() => pairing.confirm(true)}>
              Yes, link them
            </Button>
          </div>
        </section>
      )
    case 'done':
      return (
        <section className="pairing" aria-label="Pairing">
          <p role="status" className="pairing-done">
            <CircleCheck aria-hidden="true" /> {state.peerName ?? 'The other device'} is linked. Your desk is on both now.
          </p>
          <Button variant="primary" onClick={leave}>
            Done
          </Button>
        </section>
      )
    case 'failed':
      return (
        <section className="pairing" aria-label="Pairing">
          <h3>They were not linked</h3>
          <p role="alert">{state.error ? errorWords(state.error.message) : 'The other device stopped.'}</p>
          <p className="pairing-hint">Nothing was shared. The code cannot be used again; a new one costs nothing.</p>
          <div className="pairing-actions">
            <Button onClick={leave}>Close</Button>
            <Button variant="primary" onClick={pairing.cancel}>
              Start over
            </Button>
          </div>
          {state.error && <Details text={`${state.error.code}\n${state.error.message}`} />}
        </section>
      )
  }
}

function Begin({ pairing, onClose }: { pairing: PairingHandle; onClose: () => void }) {
  const [typed, setTyped] = useState('')
  const [url, setUrl] = useState('')
  const [more, setMore] = useState(false)
  const code = readJoinLink(typed) ?? readPairingCode(typed)
  const join = (event: FormEvent) => {
    event.preventDefault()
    if (code) pairing.join(code, url.trim() || undefined)
  }
  return (
    <section className="pairing pairing-start" aria-label="Link another device">
      <header>
        <h3>Link another device</h3>
        <IconButton label="Close" size="small" icon={<X aria-hidden="true" />} onClick={onClose} />
      </header>
      <div className="pairing-begin">
        <div>
          <MonitorSmartphone aria-hidden="true" />
          <h4>Show a code here</h4>
          <p className="pairing-hint">Then scan, paste or type it on the other device, in Devices or when it starts for the first time.</p>
          <Button variant="primary" busy={pairing.busy} onClick={pairing.offer}>
            Show a code
          </Button>
        </div>
        <form onSubmit={join}>
          <Smartphone aria-hidden="true" />
          <h4>Use a code or link from there</h4>
          <p className="pairing-hint">This device takes over the other’s desk; windows open here come along as an activity of their own.</p>
          <div className="pairing-typed">
            <Field
              label="Code or link"
              labelHidden
              placeholder="4217-guitar-ozone"
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
              hint={typed !== '' && !code ? 'A number and then the words, or the whole link, as the other device shows them.' : undefined}
            />
            <Button type="submit" variant={code ? 'primary' : 'secondary'} busy={pairing.busy} aria-disabled={!code}>
              Link
            </Button>
          </div>
          {more ? (
            <Field
              label="Where to meet"
              placeholder="wss://meet.example.org"
              inputMode="url"
              value={url}
              onChange={(event) => setUrl(event.target.value)}
              hint="The address of a rendezvous that both devices can reach."
            />
          ) : (
            <Button variant="quiet" onClick={() => setMore(true)}>
              Not on the same network?
            </Button>
          )}
        </form>
      </div>
    </section>
  )
}

function Offering({ pairing, onClose }: { pairing: PairingHandle; onClose: () => void }) {
  const now = useNow(1_000)
  const { code = '', link, expiresAtMs } = pairing.state
  const [meeting = '', ...secret] = codeParts(code)
  return (
    <section className="pairing" aria-label="Pairing">
      <p>Type this on the other device:</p>
      <p className="pairing-code" aria-label={`The code is ${code.replaceAll('-', ', ')}`}>
        <span>{meeting}</span>
        {secret.map((word) => (
          <span key={word}>{word}</span>
        ))}
      </p>
      {link && (
        <div className="pairing-link">
          <QrCode text={link} label="QR code of the link" />
          <div>
            <p className="pairing-hint">Or scan this with it, or send it the link: it opens the same door, and is as good as the code.</p>
            <Button icon={<Copy aria-hidden="true" />} onClick={() => void copyLink(link)}>
              Copy link
            </Button>
          </div>
        </div>
      )}
      {expiresAtMs !== undefined && (
        <p className="pairing-hint numbers">
          {expiresAtMs > now ? `Good for ${countdownText(expiresAtMs, now)} and one try.` : 'The code has run out.'}
        </p>
      )}
      <div className="pairing-actions">
        <Button onClick={onClose}>Cancel</Button>
        {expiresAtMs !== undefined && expiresAtMs <= now && (
          <Button variant="primary" onClick={pairing.offer}>
            New code
          </Button>
        )}
      </div>
    </section>
  )
}

/** A copy that fails says so: nobody looks for a link that is not there. */
async function copyLink(link: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(link)
    showToast({ severity: 'info', title: 'The link is copied', body: 'Paste it on the other device, under Devices.' })
  } catch (error) {
    showToast({ severity: 'error', title: 'The link could not be copied', body: errorWords(error) })
  }
}
