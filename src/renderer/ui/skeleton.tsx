import './states.css'

/** The shape of what will come, for waits over 300 ms. `lines` rows of text-like bars. */
export function Skeleton({ lines = 4, label = 'Loading' }: { lines?: number; label?: string }) {
  return (
    <div className="ui-skeleton" role="status">
      <span className="visually-hidden">{label}</span>
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} data-width={line % 3} />
      ))}
    </div>
  )
}

/** For what takes over 2 s: a number, not a spinner. `value` 0..1, or undefined when it cannot be known. */
export function Progress({ value, label }: { value?: number; label: string }) {
  const percent = value === undefined ? undefined : Math.round(value * 100)
  return (
    <div className="ui-progress">
      <progress max={100} value={percent} aria-label={label} />
      <span className="numbers">{percent === undefined ? label : `${label} ${percent} %`}</span>
    </div>
  )
}
