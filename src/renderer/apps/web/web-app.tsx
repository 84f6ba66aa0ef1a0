import { ArrowLeft, ArrowRight, ExternalLink, Globe, RotateCw, ShieldAlert } from 'lucide-react'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import type { AppStateOf } from '../../../session/app-state.ts'
import { useClient } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { useIsLate } from '../app-hooks.ts'
import type { AppProps } from '../app-props.ts'
import { readAddress, shortAddress, step, visit } from './web-address.ts'
import './web.css'

type WebState = AppStateOf<'web'>

/** What the device found when it asked for the page's headers. */
type Probe =
  | { readonly kind: 'asking' }
  | { readonly kind: 'frameable'; readonly url: string }
  | { readonly kind: 'refuses'; readonly url: string; readonly reason: string }
  | { readonly kind: 'failed'; readonly error: unknown }

/** A web page in a frame that may run its own scripts and forms and nothing else: no access to the desk, no pop-ups, no downloads. */
export default function WebApp({ state, setState, active }: AppProps<WebState>) {
  const [refusal, setRefusal] = useState<string>()
  const [turn, setTurn] = useState(0)
  const field = useRef<HTMLInputElement>(null)

  useEffect(() => {
    if (active && state.url === '') field.current?.focus()
  }, [active, state.url])

  const go = (event: FormEvent) => {
    event.preventDefault()
    const address = readAddress(field.current?.value ?? '')
    if (address.kind === 'refused') return setRefusal(address.reason)
    if (new URL(address.url).host === location.host) return setRefusal('That is this desk itself; it is not opened inside itself.')
    setRefusal(undefined)
    const { history, index } = visit(state, address.url)
    setState({ history: [...history], index, url: address.url, title: '', scrollY: 0 })
  }
  const walk = (by: -1 | 1) => {
    const next = step(state, by)
    if (next) setState({ index: next.index, url: next.url, title: '', scrollY: 0 })
  }
  const handleTitle = (title: string) => {
    if (title !== '' && title !== state.title) setState({ title: title.slice(0, 200) })
  }
  return (
    <div className="app web">
      <form className="app-bar" aria-label="Address and history" onSubmit={go}>
        <IconButton label="Back" icon={<ArrowLeft aria-hidden="true" />} aria-disabled={!step(state, -1)} onClick={() => walk(-1)} />
        <IconButton label="Forward" icon={<ArrowRight aria-hidden="true" />} aria-disabled={!step(state, 1)} onClick={() => walk(1)} />
        <IconButton
          label="Load again"
          icon={<RotateCw aria-hidden="true" />}
          aria-disabled={state.url === ''}
          onClick={() => setTurn((count) => count + 1)}
        />
        <input
          key={state.url}
          ref={field}
          className="web-address"
          aria-label="Address"
          aria-invalid={refusal !== undefined || undefined}
          aria-describedby={refusal ? 'web-refusal' : undefined}
          placeholder="Address, for example example.org"
          inputMode="url"
          autoComplete="off"
          spellCheck={false}
          defaultValue={state.url}
          onFocus={(event) => event.target.select()}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return
            event.currentTarget.value = state.url
            setRefusal(undefined)
          }}
        />
        <IconButton
          label="Open outside of Elsewhere"
          icon={<ExternalLink aria-hidden="true" />}
          aria-disabled={state.url === ''}
          onClick={() => state.url !== '' && openOutside(state.url)}
        />
      </form>
      {refusal && (
        <p id="web-refusal" role="alert" className="web-refusal">
          {refusal}
        </p>
      )}
      <div className="app-body">
        {state.url === '' ? (
          <EmptyState icon={<Globe aria-hidden="true" />} title="A page goes here">
            Type an address above. The page, and the way back through the pages before it, follow you to your other displays.
          </EmptyState>
        ) : (
          <Page
            key={`${state.url} ${turn}`}
            url={state.url}
            active={active}
            onTitle={handleTitle}
            onRetry={() => setTurn((count) => count + 1)}
          />
        )}
      </div>
    </div>
  )
}

function Page({ url, active, onTitle, onRetry }: { url: string; active: boolean; onTitle: (title: string) => void; onRetry: () => void }) {
  const client = useClient()
  const [probe, setProbe] = useState<Probe>({ kind: 'asking' })
  const [loads, setLoads] = useState(0)
  const tell = useRef(onTitle)
  useEffect(() => {
    tell.current = onTitle
  })
  useEffect(() => {
    if (!client) return
    const leaving = new AbortController()
    client.probePage({ url }, { signal: leaving.signal }).then(
      (found) => {
        tell.current(found.title ?? '')
        setProbe(found.frameable ? { kind: 'frameable', url: found.url } : { kind: 'refuses', url: found.url, reason: found.reason })
      },
      (error: unknown) => !leaving.signal.aborted && setProbe({ kind: 'failed', error }),
    )
    return () => leaving.abort()
  }, [client, url])
  const late = useIsLate(probe.kind === 'asking' || (probe.kind === 'frameable' && loads === 0))

  switch (probe.kind) {
    case 'asking':
      return late && <Skeleton lines={7} label={`Asking for ${shortAddress(url)}`} />
    case 'failed':
      return (
        <ErrorState
          title="The page could not be reached"
          error={probe.error}
          safe="The rest of your desk is not affected."
          action={<Button onClick={onRetry}>Try again</Button>}
        />
      )
    case 'refuses':
      return (
        <EmptyState
          icon={<ShieldAlert aria-hidden="true" />}
          title={`${new URL(probe.url).host} does not allow itself to be shown here`}
          action={
            <Button variant="primary" icon={<ExternalLink aria-hidden="true" />} onClick={() => openOutside(probe.url)}>
              Open outside
            </Button>
          }
        >
          {sentence(probe.reason)} It opens in your browser instead; its address stays in this tab and follows you.
        </EmptyState>
      )
    case 'frameable':
      return (
        <>
          <iframe
            className="web-frame"
            title={shortAddress(probe.url)}
            src={probe.url}
            sandbox="allow-scripts allow-forms"
            referrerPolicy="no-referrer"
            allow=""
            onLoad={() => setLoads((count) => count + 1)}
          />
          {!active && <div className="web-shield" aria-hidden="true" />}
          {loads === 0 && late && (
            <div className="web-cover">
              <Skeleton lines={7} label={`Loading ${shortAddress(probe.url)}`} />
            </div>
          )}
          {loads > 1 && (
            <p className="web-note" role="status">
              You followed a link. Pages keep their addresses to themselves here, so this tab remembers {shortAddress(url)}.
            </p>
          )}
        </>
      )
  }
}

/** In the browser or program the machine uses for pages. It cannot reach back into the desk. */
function openOutside(url: string): void {
  window.open(url, '_blank', 'noopener,noreferrer')
}

/** A reason as a sentence of its own. */
const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
