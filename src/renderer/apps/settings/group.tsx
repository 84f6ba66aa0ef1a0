import type { ReactNode } from 'react'

/** Settings that belong together, under one heading. */
export function Group({ title, hint, children }: { title: string; hint?: ReactNode; children: ReactNode }) {
  return (
    <section className="settings-group" aria-label={title}>
      <h3>{title}</h3>
      {hint && <p className="settings-hint">{hint}</p>}
      <div className="settings-card">{children}</div>
    </section>
  )
}

/** One setting: what it is on the left, what it is set to on the right. */
export function Row({ label, hint, children }: { label: string; hint?: ReactNode; children: ReactNode }) {
  return (
    <div className="settings-row">
      <span>
        <span>{label}</span>
        {hint && <span className="settings-row-hint">{hint}</span>}
      </span>
      <span className="settings-row-control">{children}</span>
    </div>
  )
}
