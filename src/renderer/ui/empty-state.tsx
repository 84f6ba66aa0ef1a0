import type { ReactNode } from 'react'
import './states.css'

/** Says what goes here and offers the one action. */
export function EmptyState({
  icon,
  title,
  children,
  action,
}: {
  icon?: ReactNode
  title: string
  children?: ReactNode
  action?: ReactNode
}) {
  return (
    <div className="ui-state">
      {icon && <div className="ui-state-icon">{icon}</div>}
      <h3>{title}</h3>
      {children && <p>{children}</p>}
      {action && <div className="ui-state-actions">{action}</div>}
    </div>
  )
}
