import { CircleAlert, CircleCheck, CloudOff, Info, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import './app.css'

const ICON = { info: Info, away: CloudOff, safe: CircleCheck, unsafe: TriangleAlert, lost: CircleAlert, moving: Info }

/** One plain sentence across the top of an app, with what can be done about it. Announced when it appears. */
export function Strip(props: { kind?: keyof typeof ICON; children: ReactNode; actions?: ReactNode }) {
  const kind = props.kind ?? 'info'
  const Icon = ICON[kind]
  return (
    <div className="app-strip" role="status" data-meaning={kind === 'away' ? 'unsafe' : kind}>
      <Icon aria-hidden="true" />
      <p>{props.children}</p>
      {props.actions && <div className="app-strip-actions">{props.actions}</div>}
    </div>
  )
}
