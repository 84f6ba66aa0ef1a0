import { CloudDownload } from 'lucide-react'
import { lazy, type ReactNode, Suspense, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { useIsLate } from '../app-hooks.ts'
import { bytesText } from '../plain-words.ts'
import { type LookAt, type OpenView, useFileView } from './file-view.ts'
import { type LookKind, lookKind } from './look-kind.ts'
import { LookCode } from './look-code.tsx'
import { LookFolder } from './look-folder.tsx'
import { LookMedia } from './look-media.tsx'
import { Failed, Nothing } from './look-states.tsx'
import './look.css'

const LookMarkdown = lazy(() => import('./look-markdown.tsx'))
const LookPdf = lazy(() => import('./look-pdf.tsx'))

/** What is not on this device is fetched from another one at once up to this; above, when the person says so. */
const ASK_ABOVE_BYTES = 8 * 1024 * 1024

export interface LookProps {
  readonly at: LookAt
  /** `480 × 320`, `12 pages`: what is known once it is drawn. */
  readonly onFact: (fact: string) => void
  /** Leads to another place: a link in a text. */
  readonly onFollow: (target: string) => void
}

/** A file, as one sees it without opening a program for it. Nothing of it ever runs. */
export function Look(props: LookProps) {
  const { device, path, entry } = props.at
  return <LookAtOne key={`${device} ${path}`} {...props} kind={lookKind(entry)} />
}

function LookAtOne({ at, kind, onFact, onFollow }: LookProps & { kind: LookKind }) {
  const { entry } = at
  const [isFetched, setFetched] = useState(false)
  const mustAsk = entry.shared !== undefined && entry.shared.place !== 'here' && entry.bytes > ASK_ABOVE_BYTES && !isFetched
  const { view, error } = useFileView(at, kind !== 'none' && !mustAsk)
  const late = useIsLate(kind !== 'none' && !mustAsk && !view && error === undefined)
  if (entry.kind === 'folder') return <LookFolder at={at} onFact={onFact} />
  if (kind === 'none') return <Nothing entry={at.entry} />
  if (mustAsk) {
    return (
      <EmptyState
        icon={<CloudDownload aria-hidden="true" />}
        title="Not on this device"
        action={<Button onClick={() => setFetched(true)}>Fetch and show it</Button>}
      >
        Its {bytesText(entry.bytes)} are on other devices.
      </EmptyState>
    )
  }
  if (error !== undefined) return <Failed error={error} />
  if (!view) return late ? <Skeleton lines={6} label={`Reading ${entry.name}`} /> : null
  return (
    <Suspense fallback={<Skeleton lines={6} label={`Reading ${entry.name}`} />}>{contentOf(kind, view, { at, onFact, onFollow })}</Suspense>
  )
}

function contentOf(kind: LookKind, view: OpenView, { at, onFact, onFollow }: LookProps): ReactNode {
  const { name } = at.entry
  switch (kind) {
    case 'picture':
    case 'video':
    case 'audio':
      return <LookMedia key={view.path} kind={kind} view={view} name={name} onFact={onFact} />
    case 'pdf':
      return <LookPdf view={view} name={name} onFact={onFact} />
    case 'markdown':
      return <LookMarkdown view={view} at={at} onFollow={onFollow} />
    case 'text':
      return <LookCode view={view} name={name} />
    case 'none':
      return <Nothing entry={at.entry} />
  }
}
