import { CircleCheck, Copy, Link2, MonitorSmartphone, ScanQrCode, Smartphone, X } from 'lucide-react'
import { type FormEvent, lazy, Suspense, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { Details } from '../../ui/error-state.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { Skeleton } from '../../ui/skeleton.tsx'
import { Spinner } from '../../ui/spinner.tsx'
import { useNow } from '../app-hooks.ts'
import { countdownText } from '../plain-words.ts'
import { QrCode } from '../../ui/qr-code.tsx'
import { showToast } from '../../ui/toast.tsx'
import { PAIRING_WORDS, type PairingKind, type PairingWords } from './pairing-words.ts'
import { codeParts, readJoinLink, readPairingCode } from './pairing-code.ts'
import type { PairingHandle } from './use-pairing.ts'

/** The camera and what reads codes: fetched when somebody wants to scan one. */
const ScanPanel = lazy(() => import('./scan/scan-panel.tsx'))

/** Brings two devices together: one shows a code, the other types it, and both people see both names before they agree. */
export function PairingPanel({ pairing, kind = 'device', onClose }: { pairing: PairingHandle; kind?: PairingKind; onClose: () => void }) {
  const { state, busy } = pairing
  const words = PAIRING_WORDS[kind]
  const leave = () => {
    pairing.cancel()
    onClose()
  }
  switch (state.step) {
    case 'idle':
      return <Begin pairing={pairing} words={words} onClose={onClose} />
    case 'offering':
      return <Offering pairing={pairing} words={words} onClose={leave} />
    case 'joining':
      return (
        <section className="pairing" aria-label={words.region}>
          <p role="status" className="pairing-wait">
            <Spinner /> {words.looking}
          </p>
          <p className="pairing-hint">Both devices need a way to meet: the same network, or a rendezvous that both know.</p>
          <Button onClick={leave}>Cancel</Button>
        </section>
      )
    case 'confirm':
      return (
        <section className="pairing" aria-label={words.region}>
          <h3>{words.question(state)}</h3>
          <p className="pairing-names">
            <strong>{words.names(state)[0]}</strong>
            <Link2 aria-label="and" />
            <strong>{words.names(state)[1]}</strong>
          </p>
          {words.consequence(state) && <p className="pairing-hint">{words.consequence(state)}</p>}
          {state.safetyWords && state.safetyWords.length > 0 && (
            <>
              <p>These words must be the same on both screens:</p>
              <p className="pairing-words">{state.safetyWords.join(' ')}</p>
            </>
          )}
          <p className="pairing-hint">{words.afterwards}</p>
          <div className="pairing-actions">
            <Button onClick={() => pairing.confirm(false)}>No, stop</Button>
            <Button variant="primary" busy={busy} onClick={() => pairing.confirm(true)}>
              {words.yes}
            </Button>
          </div>
        </section>
      )
    case 'done':
      return (
        <section className="pairing" aria-label={words.region}>
          <p role="status" className="pairing-done">
            <CircleCheck aria-hidden="true" /> {words.done(state)}
          </p>
          <Button variant="primary" onClick={leave}>
            Done
          </Button>
        </section>
      )
    case 'failed':
      return (
        <section className="pairing" aria-label={words.region}>
          <h3>{words.failed}</h3>
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

function Begin({ pairing, words, onClose }: { pairing: PairingHandle; words: PairingWords; onClose: () => void }) {
  const [typed, setTyped] = useState('')
  const [url, setUrl] = useState('')
  const [more, setMore] = useState(false)
  const [scanning, setScanning] = useState(false)
  const code = readJoinLink(typed, words.link) ?? readPairingCode(typed)
  const join = (event: FormEvent) => {
    event.preventDefault()
    if (code) pairing.join(code, url.trim() || undefined)
  }
  if (scanning) {
    const take = (link: string) => {
      setScanning(false)
      pairing.join(link, url.trim() || undefined)
    }
    return (
      <Suspense fallback={<Skeleton lines={4} label="Opening the camera" />}>
        <ScanPanel words={words} onLink={take} onCancel={() => setScanning(false)} />
      </Suspense>
    )
  }
  return (
    <section className="pairing pairing-start" aria-label={words.begin}>
      <header>
        <h3>{words.begin}</h3>
        <IconButton label="Close" size="small" icon={<X aria-hidden="true" />} onClick={onClose} />
      </header>
      <div className="pairing-begin">
        <div>
          <MonitorSmartphone aria-hidden="true" />
          <h4>Show a code here</h4>
          <p className="pairing-hint">{words.showHint}</p>
          <Button variant="primary" busy={pairing.busy} onClick={pairing.offer}>
            Show a code
          </Button>
        </div>
        <form onSubmit={join}>
          <Smartphone aria-hidden="true" />
          <h4>{words.takeTitle}</h4>
          <p className="pairing-hint">{words.takeHint}</p>
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
              {words.take}
            </Button>
          </div>
          <Button icon={<ScanQrCode aria-hidden="true" />} onClick={() => setScanning(true)}>
            Scan the QR code
          </Button>
          {more ? (
            <Field
              label="Where to meet"
              placeholder="wss://meet.example.org"
              inputMode="url"
              value={url}
              onChange={(event) => setUrl(event.target.value)}
              hint={words.meetHint}
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

function Offering({ pairing, words, onClose }: { pairing: PairingHandle; words: PairingWords; onClose: () => void }) {
  const now = useNow(1_000)
  const { code = '', link, expiresAtMs } = pairing.state
  const [meeting = '', ...secret] = codeParts(code)
  return (
    <section className="pairing" aria-label={words.region}>
      <p>{words.type}</p>
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
            <p className="pairing-hint">{words.scan}</p>
            <Button icon={<Copy aria-hidden="true" />} onClick={() => void copyLink(link, words.copied)}>
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
async function copyLink(link: string, body: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(link)
    showToast({ severity: 'info', title: 'The link is copied', body })
  } catch (error) {
    showToast({ severity: 'error', title: 'The link could not be copied', body: errorWords(error) })
  }
}
