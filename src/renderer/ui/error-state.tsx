import { Copy, TriangleAlert } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { errorCode, errorMessage } from '../../base/errors.ts'
import { Button } from './button.tsx'
import { errorWords } from './error-words.ts'
import './states.css'

/**
 * What happened, what is safe, what to do; the code and the whole text lie under "Details" with a copy button.
 *
 * @param title  what did not work, in plain words
 * @param safe   what is not in danger, e.g. "Your text is kept on this device."
 */
export function ErrorState(props: { title: string; error: unknown; safe?: string; action?: ReactNode }) {
  const details = `${errorCode(props.error)}\n${errorMessage(props.error)}`
  return (
    <div className="ui-state" role="alert">
      <div className="ui-state-icon" data-meaning="lost">
        <TriangleAlert aria-hidden="true" />
      </div>
      <h3>{props.title}</h3>
      <p>{errorWords(props.error)}</p>
      {props.safe && <p>{props.safe}</p>}
      {props.action && <div className="ui-state-actions">{props.action}</div>}
      <Details text={details} />
    </div>
  )
}

/** A fold with text that can be copied whole. */
export function Details({ text, label = 'Details' }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false)
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    )
  return (
    <details className="ui-details">
      <summary>{label}</summary>
      <pre tabIndex={0}>{text}</pre>
      <Button variant="quiet" icon={<Copy aria-hidden="true" />} onClick={copy}>
        {copied ? 'Copied' : 'Copy'}
      </Button>
    </details>
  )
}
