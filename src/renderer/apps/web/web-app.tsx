import { ArrowLeft, ArrowRight, ExternalLink, Globe, RotateCw, X } from 'lucide-react'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import type { AppStateOf } from '../../../session/app-state.ts'
import { nativeHost } from '../../native/native-host.ts'
import { goTo, tell, useNativeTab } from '../../native/native-tabs.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import type { AppProps } from '../app-props.ts'
import { FramedPage } from './framed-page.tsx'
import { NativePage } from './native-page.tsx'
import { openOutside } from './open-outside.ts'
import { readAddress, step, visit } from './web-address.ts'
import './web.css'

type WebState = AppStateOf<'web'>

/** A web page: in a view of its own where the host has views, else in a sandboxed frame. */
export default function WebApp({ tabId, state, setState, active }: AppProps<WebState>) {
  const [refusal, setRefusal] = useState<string>()
  const [turn, setTurn] = useState(0)
  const field = useRef<HTMLInputElement>(null)
  const view = useNativeTab(tabId).change
  const canGo = { back: view?.canGoBack ?? step(state, -1) !== undefined, forward: view?.canGoForward ?? step(state, 1) !== undefined }

  useEffect(() => {
    if (active && state.url === '') field.current?.focus()
  }, [active, state.url])

  const go = (event: FormEvent) => {
    event.preventDefault()
    const address = readAddress(field.current?.value ?? '')
    if (address.kind === 'refused') return setRefusal(address.reason)
    if (new URL(address.url).host === location.host) return setRefusal('That is this desk itself; it is not opened inside itself.')
    setRefusal(undefined)
    if (nativeHost) goTo(tabId, address.url)
    const { history, index } = visit(state, address.url)
    setState({ history: [...history], index, url: address.url, title: '', scrollY: 0 })
  }
  const walk = (by: -1 | 1) => {
    if (view) return tell(tabId, by === -1 ? 'back' : 'forward')
    const next = step(state, by)
    if (next) setState({ index: next.index, url: next.url, title: '', scrollY: 0 })
  }
  const loadAgain = () => (view ? tell(tabId, view.loading ? 'stop' : 'reload') : setTurn((count) => count + 1))
  const handleTitle = (title: string) => {
    if (title !== '' && title !== state.title) setState({ title: title.slice(0, 200) })
  }
  return (
    <div className="app web" aria-busy={view?.loading || undefined}>
      <form className="app-bar" aria-label="Address and history" onSubmit={go}>
        <IconButton
          label="Back"
          icon={<ArrowLeft aria-hidden="true" />}
          aria-disabled={!canGo.back}
          onClick={() => canGo.back && walk(-1)}
        />
        <IconButton
          label="Forward"
          icon={<ArrowRight aria-hidden="true" />}
          aria-disabled={!canGo.forward}
          onClick={() => canGo.forward && walk(1)}
        />
        <IconButton
          label={view?.loading ? 'Stop loading' : 'Load again'}
          icon={view?.loading ? <X aria-hidden="true" /> : <RotateCw aria-hidden="true" />}
          aria-disabled={state.url === ''}
          onClick={loadAgain}
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
        ) : nativeHost ? (
          <NativePage tabId={tabId} url={state.url} title={state.title} />
        ) : (
          <FramedPage
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
