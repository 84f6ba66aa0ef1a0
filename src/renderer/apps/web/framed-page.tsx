import { ExternalLink, ShieldAlert } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useClient } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { useIsLate } from '../app-hooks.ts'
import { openOutside } from './open-outside.ts'
import { shortAddress } from './web-address.ts'

/** What the device found when it asked for the page's headers. */
type Probe =
  | { readonly kind: 'asking' }
  | { readonly kind: 'frameable'; readonly url: string }
  | { readonly kind: 'refuses'; readonly url: string; readonly reason: string }
  | { readonly kind: 'failed'; readonly error: unknown }

interface FramedPageProps {
  url: string
  active: boolean
  onTitle: (title: string) => void
  onRetry: () => void
}

/** A web page in a frame that may run its own scripts and forms and nothing else: no access to the desk, no pop-ups, no downloads. */
export function FramedPage({ url, active, onTitle, onRetry }: FramedPageProps) {
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

/** A reason as a sentence of its own. */
const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
